# workerd by itself, with the same worker:
#   esbuild worker.js --bundle --format=esm --loader:.wasm=copy --asset-names=[name] --outdir=build
#   workerd serve workerd.capnp
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [
      (name = "worker.js", esModule = embed "build/worker.js"),
      (name = "digits.wasm", wasm = embed "build/digits.wasm"),
    ],
    compatibilityDate = "2026-11-01"))],
  sockets = [(name = "http", address = "127.0.0.1:8787", http = (), service = "main")]);
