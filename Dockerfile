# syntax=docker/dockerfile:1
# One image for every program of the store: `pasar router`, `pasar subgraph NAME`, `pasar worker`, `pasar sandbox`.

FROM node:22-slim AS web
WORKDIR /web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY web/ ./
RUN npm run build

FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/pasar
WORKDIR /source
COPY constraints.txt pyproject.toml README.md ./
# The dependencies alone first: they change less often than our own code. Without the `embedded` extra, whose mongod is
# for single machines
RUN /opt/pasar/bin/python -c "import tomllib; print('\n'.join(tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies']))" > requirements.txt \
    && /opt/pasar/bin/pip install -c constraints.txt -r requirements.txt
COPY core core
COPY loaders loaders
COPY pasar pasar
COPY router router
COPY schema schema
COPY subgraphs subgraphs
COPY --from=web /web/dist web/dist
RUN /opt/pasar/bin/pip install --no-deps .

FROM python:3.13-slim
RUN groupadd --gid 10001 pasar && useradd --uid 10001 --gid pasar --home-dir /var/lib/pasar --create-home pasar \
    && install --directory --owner pasar --group pasar /srv/pasar/media
COPY --from=build /opt/pasar /opt/pasar
COPY --from=build /source/schema/sdl /opt/pasar/schema
ENV PATH=/opt/pasar/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PASAR_DATA=/var/lib/pasar \
    PASAR_HOST=0.0.0.0 \
    PASAR_PORT=4001 \
    PASAR_ROUTER_HOST=0.0.0.0 \
    PASAR_ROUTER_PORT=4000
USER pasar
WORKDIR /var/lib/pasar
ENTRYPOINT ["pasar"]
CMD ["--help"]
