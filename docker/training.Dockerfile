# The image that trains: the service's requirements and training's, and the fonts that digits are drawn from.

FROM python:3.13-slim-trixie AS handwriting
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends npm \
    && rm -rf /var/lib/apt/lists/*
COPY training/handwriting /handwriting
RUN --mount=type=cache,target=/root/.npm \
    sh /handwriting/install.sh /fonts

FROM python:3.13-slim-trixie
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore

COPY training/fonts.txt /requirements/
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive xargs apt-get install --yes --no-install-recommends < /requirements/fonts.txt \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/*

COPY --from=handwriting /fonts /usr/share/fonts/fontsource

# pip stays outside of the virtual environment, as in the service's image.
RUN python -m venv --without-pip /opt/venv
COPY docker/requirements/training.txt docker/requirements/build.txt /requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/venv/bin/python install --require-hashes \
    --requirement /requirements/training.txt --requirement /requirements/build.txt

WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY training training
RUN pip --python /opt/venv/bin/python install --no-cache-dir --no-index --no-deps --no-build-isolation .

LABEL org.opencontainers.image.title="digit-ocr training" \
      org.opencontainers.image.description="Trains the model of digit-ocr" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
COPY docker/training-entrypoint.sh /usr/local/bin/training-entrypoint
RUN chmod 755 /usr/local/bin/training-entrypoint \
    && groupadd --gid 10001 digit-ocr \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin digit-ocr
WORKDIR /srv/digit-ocr
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
# Python as process 1 does not hear SIGTERM; by SIGINT a run ends, and can go on later.
STOPSIGNAL SIGINT
ENTRYPOINT ["training-entrypoint"]
CMD ["train"]
