# One image of the one file. What it needs at run time it carries: the site and Postgres are unpacked
# into the data volume, which must therefore allow programs to run.
FROM debian:trixie AS build
RUN apt-get update && apt-get install --yes --no-install-recommends \
      build-essential ca-certificates curl nodejs npm pkg-config python3 python3-pip \
    && rm -rf /var/lib/apt/lists/*
# The toolchain itself is named by rust-toolchain.toml.
ENV CARGO_HOME=/usr/local/cargo RUSTUP_HOME=/usr/local/rustup PATH=/usr/local/cargo/bin:$PATH
RUN curl --proto '=https' --tlsv1.2 -fsS https://sh.rustup.rs | sh -s -- -y --profile minimal --default-toolchain none
WORKDIR /source
COPY . .
RUN cargo xtask build --release --bundle && cp target/release/bundle/sidebar /sidebar

FROM debian:trixie-slim
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --no-create-home --home-dir /data --shell /usr/sbin/nologin sidebar \
    && install -d -o sidebar -g sidebar /data
COPY --from=build /sidebar /usr/local/bin/sidebar
USER 1000:1000
ENV SIDEBAR_DATA=/data SIDEBAR_ADDR=0.0.0.0:3000
VOLUME /data
EXPOSE 3000
# SIGTERM ends in order: answers that run are kept as far as they came.
STOPSIGNAL SIGTERM
ENTRYPOINT ["sidebar"]
CMD ["serve"]
