# The metrics API and its page, as `scripts/demo` runs them. Its variables are Terraform's output metrics_api_environment.
FROM python:3.13.11-slim-bookworm@sha256:20080e807bfc404f8450b185cf0fc95d553462673598549613735f70a5b4d5d0 AS packages
WORKDIR /build
COPY requirements-uv.lock uv.txt
COPY requirements-image.lock packages.txt
RUN pip install --no-cache-dir --require-hashes --only-binary=:all: -r uv.txt \
  && uv pip install --no-cache --require-hashes --only-binary=:all: --compile-bytecode --python python3 \
  --target /packages -r packages.txt

FROM python:3.13.11-slim-bookworm@sha256:20080e807bfc404f8450b185cf0fc95d553462673598549613735f70a5b4d5d0 AS micro-packages
WORKDIR /build
COPY requirements-uv.lock uv.txt
COPY requirements-run.lock packages.txt
RUN pip install --no-cache-dir --require-hashes --only-binary=:all: -r uv.txt \
  && uv pip install --no-cache --require-hashes --only-binary=:all: --compile-bytecode --python python3 \
  --target /packages -r packages.txt

# `scripts/micro` for the CI of a game: docker build --target micro .
FROM python:3.13.11-slim-bookworm@sha256:20080e807bfc404f8450b185cf0fc95d553462673598549613735f70a5b4d5d0 AS micro
WORKDIR /app
COPY --from=micro-packages /packages /packages
COPY event-schemas event-schemas
COPY functions functions
COPY scripts/tools scripts/tools
ENV PYTHONPATH=/packages:/app/functions:/app/functions/layers/telemetry:/app/scripts PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
EXPOSE 9090
HEALTHCHECK --interval=5s --timeout=3s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9090/micro/all')"]
CMD ["python", "-m", "tools.micro", "--host", "0.0.0.0"]

FROM python:3.13.11-slim-bookworm@sha256:20080e807bfc404f8450b185cf0fc95d553462673598549613735f70a5b4d5d0
WORKDIR /app
COPY --from=packages /packages /packages
COPY event-schemas event-schemas
COPY functions/layers/telemetry/telemetry functions/layers/telemetry/telemetry
COPY functions/metrics_api functions/metrics_api
ENV PYTHONPATH=/packages:/app/functions:/app/functions/layers/telemetry PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/ready')"]
CMD ["python", "-m", "uvicorn", "metrics_api.app:app", "--host", "0.0.0.0", "--port", "8000"]
