# The service's images. Requirements, model and code are layers of their own, in this order: a changed line of code
# neither installs TensorFlow again nor sends it to a registry again.

FROM python:3.13-slim-trixie AS base
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore


# Every requirement, hash-checked and compiled to bytecode, in a virtual environment. pip itself stays outside of it.
FROM base AS lite-requirements
RUN python -m venv --without-pip /opt/venv
COPY docker/requirements/lite.txt /requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/venv/bin/python install --require-hashes --requirement /requirements/lite.txt


FROM base AS serve-requirements
RUN python -m venv --without-pip /opt/venv
COPY docker/requirements/serve.txt /requirements/
# What TensorFlow brings for those who compile against it goes again: 330 MB of headers, libclang and build tools.
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/venv/bin/python install --require-hashes --requirement /requirements/serve.txt \
    && pip --python /opt/venv/bin/python uninstall --yes libclang setuptools wheel \
    && rm -rf /opt/venv/lib/python3.*/site-packages/tensorflow/include


# The project as a wheel.
FROM base AS package
RUN python -m venv --without-pip /opt/venv
COPY docker/requirements/build.txt /requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/venv/bin/python install --require-hashes --requirement /requirements/build.txt
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY training training
RUN pip --python /opt/venv/bin/python wheel --no-deps --no-build-isolation --wheel-dir /wheels .


# The models, readable for the service whatever the umask of the checkout was.
FROM base AS models
COPY models /models
RUN chmod -R u=rwX,go=rX /models


# What the two images have in common, but for their requirements.
FROM base AS runtime
LABEL org.opencontainers.image.title="digit-ocr" \
      org.opencontainers.image.description="A stateless microservice that reads digits from images" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
# A number as user, so that an orchestrator can tell that it is not root.
RUN groupadd --gid 10001 digit-ocr \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin digit-ocr
WORKDIR /srv/digit-ocr
ENV PATH=/opt/venv/bin:$PATH \
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


# `docker build --target lite`: the engine litert alone, without TensorFlow: what it adds to its base is a quarter.
FROM runtime AS lite
ENV DIGIT_OCR_ENGINE=litert
COPY --from=lite-requirements /opt/venv /opt/venv
COPY --from=models /models models
RUN --mount=type=bind,from=package,source=/wheels,target=/mnt \
    pip --python /opt/venv/bin/python install --no-cache-dir --no-index --no-deps /mnt/*.whl
USER 10001:10001


# The image that is built where no target is named: both engines.
FROM runtime AS serve
COPY --from=serve-requirements /opt/venv /opt/venv
COPY --from=models /models models
RUN --mount=type=bind,from=package,source=/wheels,target=/mnt \
    pip --python /opt/venv/bin/python install --no-cache-dir --no-index --no-deps /mnt/*.whl
USER 10001:10001
