# One image, three commands: `tropa migrate`, `tropa worker`, `tropa api`. Not built where it was written: see
# docs/operate.md.
FROM python:3.11-slim-bookworm AS build
WORKDIR /app
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
COPY requirements.lock ./
RUN /venv/bin/pip install --require-hashes -r requirements.lock

FROM python:3.11-slim-bookworm
# Processes that must not be root, and that write nothing into the image.
RUN useradd --system --uid 10001 --create-home tropa
COPY --from=build /venv /venv
WORKDIR /app
COPY pyproject.toml README.md ./
COPY domain domain
COPY activities activities
COPY workflows workflows
COPY adapters adapters
COPY services services
COPY api api
COPY tropa tropa
COPY migrations migrations
COPY templates templates
RUN /venv/bin/pip install --no-deps --no-build-isolation --editable .
# The sandbox imports a journey anew for each walk: compiled once here, it is not compiled each time.
RUN /venv/bin/python -m compileall -q workflows
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER tropa
CMD ["tropa", "api"]
