# One image for the four services; the command says which one runs.
FROM python:3.12-slim AS build
WORKDIR /build
RUN pip install --no-cache-dir "uv>=0.13,<0.14"
COPY requirements-services.lock ./
RUN uv venv /opt/rujukan && VIRTUAL_ENV=/opt/rujukan uv pip sync --no-cache requirements-services.lock

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /srv/rujukan --shell /usr/sbin/nologin rujukan
WORKDIR /srv/rujukan
COPY --from=build /opt/rujukan /opt/rujukan
COPY LICENSE NOTICE ./
COPY shared ./shared
COPY services ./services
ENV PATH=/opt/rujukan/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOST=0.0.0.0 PORT=8080
USER 10001:10001
EXPOSE 8080
ENTRYPOINT ["python", "-m"]
CMD ["services.intake", "serve"]
