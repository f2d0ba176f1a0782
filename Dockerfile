# YORI as an explicit proxy: clients name it as their HTTPS proxy. Steering whole networks needs
# the router itself (`yori service install`), not a container.
FROM node:20-bookworm-slim AS build
WORKDIR /app
RUN apt-get update && apt-get install -y --no-install-recommends python3 make g++ \
  && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json ./
# The programs of the build come with it; `prepare` needs the sources.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm rebuild better-sqlite3 && npm run build \
  && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
  && mkdir -p /state && chown node:node /state

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/config config
COPY --from=build /app/pf pf
COPY --from=build /app/package.json package.json
# An empty directory of the user's, so that a volume there is theirs, too.
COPY --from=build --chown=node:node /state /var/db/yori
USER node
EXPOSE 8443
VOLUME /var/db/yori
HEALTHCHECK --interval=10s --timeout=2s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8443/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--max-semi-space-size=2", "--max-old-space-size=128", "--v8-pool-size=1", "dist/src/cli/main.js"]
CMD ["run", "--state-dir", "/var/db/yori"]
