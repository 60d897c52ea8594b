# The service with its embedded preset. For an NVIDIA GPU: --build-arg ACCELERATOR=gpu

FROM python:3.11-slim-bookworm AS build
ARG ACCELERATOR=cpu
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/fillmask
# The dependencies first: they change less often than the code. The locks are complete and hashed.
COPY requirements/run.txt requirements/gpu.txt requirements/
RUN case "$ACCELERATOR" in \
        cpu) lock=run.txt ;; \
        gpu) lock=gpu.txt ;; \
        *) echo "ACCELERATOR is cpu or gpu, not $ACCELERATOR" >&2; exit 1 ;; \
    esac \
    && /opt/fillmask/bin/pip install --no-deps --require-hashes -r "requirements/$lock"
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY service service
COPY model_store model_store
COPY fillmask fillmask
RUN /opt/fillmask/bin/pip install --no-deps .
# Convert the embedded preset now: the first start of a new container need not.
RUN mkdir -p /var/cache/fillmask/converted && (test "$ACCELERATOR" = gpu \
    || FILLMASK_CACHE_DIR=/var/cache/fillmask/converted \
        /opt/fillmask/bin/fillmask presets convert minilm_l6_en_uncased)

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /nonexistent fillmask \
    && install --directory --owner=10001 --group=10001 /models
COPY --from=build /opt/fillmask /opt/fillmask
COPY --from=build --chown=10001:10001 /var/cache/fillmask /var/cache/fillmask
# The root file system may be read-only. What grows has two volumes: presets, and what is made of
# them. Keras keeps no configuration, and TensorFlow, which looks for a writable temporary directory
# when it is imported, finds the one that every container has. It is small: nothing large goes there.
ENV PATH=/opt/fillmask/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    KERAS_HOME=/nonexistent/.keras \
    TMPDIR=/dev/shm \
    FILLMASK_HOST=0.0.0.0 \
    FILLMASK_PORT=8000 \
    FILLMASK_CACHE_DIR=/var/cache/fillmask/converted \
    FILLMASK_MODEL_STORE_DIR=/models \
    HF_HOME=/var/cache/fillmask/huggingface \
    KAGGLEHUB_CACHE=/var/cache/fillmask/kagglehub
VOLUME ["/models", "/var/cache/fillmask"]
WORKDIR /
USER 10001:10001
EXPOSE 8000
# Without proxies: this address is never behind one. Who is asked for a key was heard by a server.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client as h, os, sys; c = h.HTTPConnection('127.0.0.1', int(os.environ['FILLMASK_PORT']), timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status not in (200, 401))"]
CMD ["fillmask", "serve"]
