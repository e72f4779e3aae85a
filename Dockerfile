# The memory as an HTTP service. It listens beyond the container, so it refuses to start without a token:
#   docker build -t mcp-memory .
#   docker run -p 127.0.0.1:8765:8765 -v mcp-memory:/data -e MCP_MEMORY_TOKEN=... mcp-memory
# Set MCP_MEMORY_SERVER__ALLOWED_HOSTS to the name that clients use, and let a proxy in front terminate TLS.
FROM python:3.13-slim AS build
ARG EXTRAS=""
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY mcp_memory mcp_memory
COPY models models
RUN python -m venv /opt/mcp-memory && /opt/mcp-memory/bin/pip install --no-cache-dir ".${EXTRAS}"

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /data --create-home memory
COPY --from=build /opt/mcp-memory /opt/mcp-memory
ENV PATH=/opt/mcp-memory/bin:$PATH MCP_MEMORY_DATA_DIR=/data MCP_MEMORY_HOST=0.0.0.0 PYTHONUNBUFFERED=1
USER memory
VOLUME /data
EXPOSE 8765
HEALTHCHECK --interval=30s --timeout=3s CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8765/healthz', timeout=2)"]
ENTRYPOINT ["mcp-memory"]
CMD ["serve"]
