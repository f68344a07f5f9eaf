# The service's images. Requirements, model and code are layers of their own, in this order: a changed line of code
# neither installs TensorFlow again nor sends it to a registry again.

FROM python:3.13-slim-trixie AS base
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore


# The base without what only installs and explains more: it is copied as a whole, so what is removed takes no room.
FROM base AS root
# A number as user, so that an orchestrator can tell that it is not root.
RUN groupadd --gid 10001 digit-ocr \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin digit-ocr
# pip stays outside, and so do Debian's package manager and Perl; the licences of what remains stay. Python's own library
# comes without bytecode: every health check would compile what it imports, for there is nowhere to keep it.
RUN dpkg --purge --force-all apt libapt-pkg7.0 sqv perl-base 2>/dev/null \
    && python -c 'import pathlib, shutil, sysconfig; \
        library = pathlib.Path(sysconfig.get_path("stdlib")); \
        unused = ["ensurepip", "idlelib", "lib2to3", "pydoc_data", "test", "turtledemo", *map(str, library.glob("config-*"))]; \
        [shutil.rmtree(library / name, ignore_errors=True) for name in unused]' \
    && python -m compileall -q "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
    && find /usr/share/doc -mindepth 1 ! -name copyright ! -type d -delete \
    && rm -rf /usr/lib/python3*/dist-packages/* /usr/local/lib/python3*/site-packages/* /usr/share/python-wheels \
        /usr/lib/*-linux-gnu/gconv /usr/share/info /usr/share/locale /usr/share/man \
        /root/.cache /tmp/* /var/cache/* /var/lib/apt /var/log/*


# Every requirement, hash-checked and compiled to bytecode, in a virtual environment; then its libraries without the
# symbols that only a debugger reads, and without what is for those who compile, or for other machines than these.
FROM base AS tools
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends binutils \
    && rm -rf /var/lib/apt/lists/*
COPY docker/slim.sh /usr/local/bin/slim
RUN chmod 755 /usr/local/bin/slim \
    && python -m venv --without-pip /opt/venv


FROM tools AS lite-requirements
COPY docker/requirements/lite.txt /requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/venv/bin/python install --require-hashes --requirement /requirements/lite.txt \
    && slim /opt/venv


FROM tools AS serve-requirements
COPY docker/requirements/serve.txt /requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/venv/bin/python install --require-hashes --requirement /requirements/serve.txt \
    && pip --python /opt/venv/bin/python uninstall --yes libclang setuptools wheel \
    && slim /opt/venv


# What is in an image, as a CycloneDX document and with its licences, in an environment that ships in none.
FROM base AS supply
RUN python -m venv --without-pip /opt/supply
COPY docker/requirements/supply.txt /requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/supply/bin/python install --require-hashes --requirement /requirements/supply.txt
COPY docker/supply.sh /usr/local/bin/supply
RUN chmod 755 /usr/local/bin/supply
COPY pyproject.toml LICENSE /source/
WORKDIR /source


FROM supply AS lite-supply
COPY docker/requirements/lite.txt ./
RUN --mount=type=bind,from=lite-requirements,source=/opt/venv,target=/opt/venv \
    supply lite.txt /opt/venv /supply


FROM supply AS serve-supply
COPY docker/requirements/serve.txt ./
RUN --mount=type=bind,from=serve-requirements,source=/opt/venv,target=/opt/venv \
    supply serve.txt /opt/venv /supply


# The project, installed as a wheel for the virtual environment that it is copied into.
FROM base AS package
RUN python -m venv --without-pip /opt/venv
COPY docker/requirements/build.txt /requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/venv/bin/python install --require-hashes --requirement /requirements/build.txt
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY training training
RUN pip --python /opt/venv/bin/python wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && pip --python /opt/venv/bin/python install --no-cache-dir --no-index --no-deps --root /project /wheels/*.whl


# The models, readable for the service whatever the umask of the checkout was. Versions have networks in common: what is
# the same in two of them is there once.
FROM base AS models
COPY models /models
RUN chmod -R u=rwX,go=rX /models && hardlink --quiet --ignore-time /models


# The smaller image has the version that is served alone.
FROM models AS newest-models
RUN for name in /models/*; do (cd "$name" && ls | sort -V | head -n -1 | xargs rm -rf); done


# What the two images have in common, but for their requirements.
FROM scratch AS runtime
COPY --from=root / /
LABEL org.opencontainers.image.title="digit-ocr" \
      org.opencontainers.image.description="A stateless microservice that reads digits from images" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
WORKDIR /srv/digit-ocr
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    LANG=C.UTF-8 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DIGIT_OCR_HOST=0.0.0.0 \
    DIGIT_OCR_PORT=8000 \
    DIGIT_OCR_MODEL_DIR=/srv/digit-ocr/models
EXPOSE 8000
STOPSIGNAL SIGTERM
# http.client rather than urllib, which would ask the proxy that the host's Docker settings may name.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import http.client, os; \
        connection = http.client.HTTPConnection('127.0.0.1', os.environ['DIGIT_OCR_PORT']); \
        connection.request('GET', '/readyz'); raise SystemExit(connection.getresponse().status != 200)"]
ENTRYPOINT ["digit-ocr"]
CMD ["serve"]


# `docker build --target lite`: the engine litert alone, without TensorFlow.
FROM runtime AS lite
ENV DIGIT_OCR_ENGINE=litert
COPY --from=lite-requirements /opt/venv /opt/venv
COPY --from=lite-supply /supply /usr/share/doc/digit-ocr
COPY --from=newest-models /models models
COPY --from=package /project /
USER 10001:10001


# The image that is built where no target is named: both engines.
FROM runtime AS serve
COPY --from=serve-requirements /opt/venv /opt/venv
COPY --from=serve-supply /supply /usr/share/doc/digit-ocr
COPY --from=models /models models
COPY --from=package /project /
USER 10001:10001
