# What runs and nothing else: node, the libraries that it is linked with, and the bundle. No shell, no package manager.

# JavaScript is the same for every processor, so it is bundled on the builder's own, whichever the image is for.
FROM --platform=$BUILDPLATFORM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY src src
RUN npm run --silent bundle
# A bundle does not say what it is made of.
RUN npm prune --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
    && npm sbom --package-lock-only --omit=dev --omit=optional --sbom-format=cyclonedx > dist/sbom.cdx.json \
    && find node_modules -iname 'licen[sc]e*' -type f -exec tail -n +1 {} + > dist/licenses.txt

FROM node:24-slim AS runtime
RUN mkdir /runtime \
    && { ldd /usr/local/bin/node; find /usr/local -maxdepth 1 -name LICENSE; } | grep -o '/[^ ]*' \
    | xargs cp --parents --dereference -t /runtime /usr/local/bin/node /etc/nsswitch.conf

FROM scratch
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Waybill" \
      org.opencontainers.image.description="Delivers RabbitMQ messages to HTTP subscribers, from declarations" \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=runtime /runtime /
COPY package.json LICENSE /app/
COPY --from=build /app/dist /app/dist
ENV PATH=/usr/local/bin NODE_ENV=production
USER 65532:65532
EXPOSE 9402
ENTRYPOINT ["node", "/app/dist/cli/main.js"]
CMD ["--help"]
