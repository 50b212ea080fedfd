# Telflo in production. One image for web, gateway, worker and beat: compose.yaml names the command of each.
# Stages: assets (Node from a pinned Python package), packages, and the image itself, which holds neither tools nor caches.

FROM python:3.11-slim-bookworm AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements/base.txt /requirements.txt
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --require-hashes --no-deps -r /requirements.txt

FROM python:3.11-slim-bookworm AS assets
# This stage is thrown away, and Debian keeps only the newest build of a package: a pinned one would soon be gone.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY Makefile ./
COPY requirements requirements
COPY frontend frontend
COPY templates templates
# Its Python code names classes that the style sheet must have.
COPY telflo/ui telflo/ui
RUN make static/dist/manifest.json

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/telflo telflo
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY . .
COPY --from=assets /build/static/dist static/dist
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONPATH=/app HOST=0.0.0.0 PORT=8000 TELFLO_DATA=/var/lib/telflo
RUN printf '#!/bin/sh\nexec python /app/manage.py "$@"\n' >/usr/local/bin/telflo && chmod +x /usr/local/bin/telflo
RUN python -m compileall -q telflo notices configs agents fleets opamp
# By its number, so that Kubernetes can see that it is not root.
USER 10001
VOLUME /var/lib/telflo
EXPOSE 8000 4320
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=2)"]
CMD ["python", "manage.py", "serve"]
