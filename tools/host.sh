#!/usr/bin/env bash
# Makes sure that the host has the Debian packages that a task needs: tools/host.sh GROUP…
# As root it installs what is missing; otherwise it says what to install and fails.
set -euo pipefail

# What proves that a package is there (a program on PATH, or a file), and the package that provides it. Groups are looked
# up by their names below.
declare -A groups
groups[build]='g++=g++ cmake=cmake ninja=ninja-build ccache=ccache git=git xz=xz-utils python3=python3 patchelf=patchelf
       brotli=brotli /usr/share/keyrings/debian-archive-keyring.gpg=debian-archive-keyring
       /etc/ssl/certs/ca-certificates.crt=ca-certificates node=nodejs npm=npm'
groups[bench]='/usr/include/benchmark/benchmark.h=libbenchmark-dev'
groups[browsers]='chromium=chromium firefox-esr=firefox-esr /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf=fonts-dejavu-core'
groups[lint]='run-clang-tidy-19=clang-tidy-19'
groups[format]='clang-format=clang-format shellcheck=shellcheck'
groups[machines]='aarch64-linux-gnu-g++=g++-aarch64-linux-gnu i686-linux-gnu-g++=g++-i686-linux-gnu
          qemu-aarch64-static=qemu-user-static'
groups[fuzz]='clang++-19=clang-19 /usr/share/doc/libclang-rt-19-dev=libclang-rt-19-dev
      llvm-symbolizer-19=llvm-19'

missing=()
for group in "$@"; do
  [[ ${groups[$group]:-} ]] || { echo "host.sh: unknown group '$group'" >&2 && exit 2; }
  for entry in ${groups[$group]}; do
    proof=${entry%=*}
    if [[ $proof == /* ]]; then [[ -e $proof ]]; else command -v "$proof" >/dev/null; fi || missing+=("${entry#*=}")
  done
done
((${#missing[@]})) || exit 0

if ! command -v apt-get >/dev/null; then
  echo "Please install: ${missing[*]} (Debian package names; this machine has no apt-get)." >&2
  exit 1
fi
if ((EUID != 0)); then
  echo "Please install what is missing, then try again:" >&2
  echo "  sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
echo "host: installing ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >&2
apt-get install -q -y --no-install-recommends "${missing[@]}" </dev/null >&2
