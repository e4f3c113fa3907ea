#!/usr/bin/env bash
# Downloads packages of a Debian suite into the working directory: tools/debian.sh SUITE PACKAGE…
# Nothing on the host changes: a private apt root has its own lists, and verifies signatures and hashes. Of src:NAME the
# source comes. The mirror is the host's own, or NEUROMANCER_DEBIAN_MIRROR.
set -euo pipefail

mirror() {
  local uri
  # shellcheck disable=SC2016 # apt replaces the names itself
  uri=${NEUROMANCER_DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
    'Created-By: Packages' | awk '$1 ~ /debian\/?$/ && $3 == "main" { print $1; exit }')}
  if [[ ! $uri ]]; then
    echo "debian.sh: found no Debian mirror in this host's apt sources; set NEUROMANCER_DEBIAN_MIRROR to one" >&2
    return 1
  fi
  echo "$uri"
}

suite=$1 apt=$PWD/apt keyring=/usr/share/keyrings/debian-archive-keyring.gpg
uri=$(mirror)
mkdir -p "$apt"/{state/lists/partial,cache/archives/partial,etc/apt.conf.d,etc/preferences.d}
: >"$apt/state/status"
# A snapshot of a mirror may be past its Valid-Until; signatures and hashes are still verified.
options="[signed-by=$keyring check-valid-until=no]"
printf '%s\n' "deb $options $uri $suite main" "deb-src $options $uri $suite main" >"$apt/etc/sources.list"
cat >"$apt/apt.conf" <<END
Dir::State "$apt/state";
Dir::State::status "$apt/state/status";
Dir::Cache "$apt/cache";
Dir::Etc "$apt/etc";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Sandbox::User "";
END
export APT_CONFIG=$apt/apt.conf
apt-get update -q >&2
for package in "${@:2}"; do
  case $package in
    src:*) apt-get source -q --download-only "${package#src:}" >&2 ;;
    *) binaries+=("$package") ;;
  esac
done
[[ -z ${binaries:-} ]] || apt-get download -q "${binaries[@]}" >&2
rm -rf "$apt"
