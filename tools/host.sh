#!/usr/bin/env bash
# Makes sure that the host has the Debian packages that a task needs: tools/host.sh GROUP…
# As root it installs what is missing; otherwise it says what to install and fails. A group that ends with "?" is wanted
# but not needed: what cannot be installed of it is said, and is no failure.
set -euo pipefail

# What proves that a package is there (a program on PATH, or a file), and the package that provides it. Groups are looked
# up by their names below.
declare -A groups
groups[build]='g++=g++ cmake=cmake ninja=ninja-build ccache=ccache git=git xz=xz-utils python3=python3 patchelf=patchelf
       brotli=brotli /usr/share/keyrings/debian-archive-keyring.gpg=debian-archive-keyring
       /etc/ssl/certs/ca-certificates.crt=ca-certificates node=nodejs npm=npm'
groups[bench]='/usr/include/benchmark/benchmark.h=libbenchmark-dev'
groups[browsers]='chromium=chromium firefox-esr=firefox-esr /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf=fonts-dejavu-core'
groups[webkit]='WebKitWebDriver=webkit2gtk-driver xvfb-run=xvfb xauth=xauth'
groups[lint]='run-clang-tidy-19=clang-tidy-19'
groups[format]='clang-format=clang-format shellcheck=shellcheck'
groups[machines]='aarch64-linux-gnu-g++=g++-aarch64-linux-gnu i686-linux-gnu-g++=g++-i686-linux-gnu
          qemu-aarch64-static=qemu-user-static'
groups[fuzz]='clang++-19=clang-19 /usr/share/doc/libclang-rt-19-dev=libclang-rt-19-dev
      llvm-symbolizer-19=llvm-19'

missing=() wanted=()
for group in "$@"; do
  list=missing
  [[ $group == *\? ]] && list=wanted
  declare -n packages=$list
  group=${group%\?}
  [[ ${groups[$group]:-} ]] || { echo "host.sh: unknown group '$group'" >&2 && exit 2; }
  for entry in ${groups[$group]}; do
    proof=${entry%=*}
    if [[ $proof == /* ]]; then [[ -e $proof ]]; else command -v "$proof" >/dev/null; fi || packages+=("${entry#*=}")
  done
done

# install PACKAGE…: installs them, or says what to do.
install() {
  if ! command -v apt-get >/dev/null; then
    echo "Please install: $* (Debian package names; this machine has no apt-get)." >&2
    return 1
  fi
  if ((EUID != 0)); then
    echo "Please install what is missing, then try again:" >&2
    echo "  sudo apt-get update && sudo apt-get install --no-install-recommends $*" >&2
    return 1
  fi
  echo "host: installing $*" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q >&2 && apt-get install -q -y --no-install-recommends "$@" </dev/null >&2
}

if ((${#missing[@]})); then install "${missing[@]}" || exit 1; fi
if ((${#wanted[@]})); then install "${wanted[@]}" || echo "host: going on without ${wanted[*]}" >&2; fi
