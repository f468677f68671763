# The etcd that the tests use: Debian's.
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends etcd-server && rm -rf /var/lib/apt/lists/*
USER etcd
ENTRYPOINT ["etcd", "--data-dir", "/var/lib/etcd/default"]
