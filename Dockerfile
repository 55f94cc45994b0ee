# Builds for amd64 and arm64: docker buildx build --platform linux/amd64,linux/arm64 .
ARG NODE=node:24.21.0-bookworm-slim

# Compiles and packs, on the machine that builds.
FROM --platform=$BUILDPLATFORM ${NODE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
COPY packages/gateway/package.json packages/gateway/
COPY packages/kit/package.json packages/kit/
COPY packages/mal/package.json packages/mal/
COPY packages/playground/package.json packages/playground/
RUN npm ci --include=dev --ignore-scripts --no-audit --no-fund
COPY . .
RUN node scripts/pack.ts /packed

# Installs what the package's own lock says, for the machine that will run it. No install script runs.
FROM ${NODE} AS install
WORKDIR /app
COPY --from=build /packed/ /packed/
RUN tar --extract --gzip --strip-components=1 --file /packed/sekisho-*.tgz
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
# The sources of a library that comes compiled.
RUN rm -rf node_modules/better-sqlite3/deps node_modules/better-sqlite3/src
RUN install --directory --mode=0700 /data

FROM ${NODE}
LABEL org.opencontainers.image.title="Sekisho" \
      org.opencontainers.image.description="One address for every MCP server, and every call made with the caller's own account." \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production SEKISHO_HOST=0.0.0.0 SEKISHO_PORT=7354 SEKISHO_DATA=/data SEKISHO_LOG_FORMAT=json
# The program is root's, and the one who runs it can change nothing of it.
COPY --from=install /app /app
COPY --from=install --chown=node:node /data /data
# Holds sekisho.jsonc, mounted where there is one.
WORKDIR /etc/sekisho
VOLUME ["/data"]
USER node
EXPOSE 7354
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s --retries=3 \
  CMD ["/usr/local/bin/node", "-e", "fetch(`http://127.0.0.1:${process.env.SEKISHO_PORT}/health/live`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/usr/local/bin/node", "--max-semi-space-size=8", "/app/dist/main.js"]
