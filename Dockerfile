# syntax=docker/dockerfile:1

# The major of Node that package.json asks for; patches come with every build.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm install --omit=dev --no-audit --no-fund

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm install --no-audit --no-fund
COPY . .
RUN npm run build

FROM node:24-slim
LABEL org.opencontainers.image.title="Parley" \
      org.opencontainers.image.description="Self-hosted live-chat and messaging server" \
      org.opencontainers.image.licenses="MIT"
WORKDIR /app
# Everything below /app belongs to root: the process can change none of its own code. It writes to /data only, and in a
# cluster nothing at all, so the root file system may be read-only.
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
RUN mkdir --mode=0700 /data && chown 1000:1000 /data
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    DATA_DIR=/data
VOLUME ["/data"]
EXPOSE 3000
# The user "node" of the base image, by number so that Kubernetes can tell that it is not root.
USER 1000:1000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --start-interval=1s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# The process handles SIGTERM itself and starts no others, so it may be the first one of its container.
CMD ["node", "dist/bin/parley.js"]
