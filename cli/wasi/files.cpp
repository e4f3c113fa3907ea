// Files for the command line program as a WASI command (snapshot preview 1): the system calls that Emscripten's C
// library leaves to JavaScript, made of what a host gives. A host opens some folders beforehand and gives each a name;
// a path belongs to the folder with the longest name that it begins with. Relative names and paths begin at PWD, or at
// /.
//
// Numbers of errors are the same on both sides: Emscripten has taken WASI's.
#include <dirent.h>
#include <emscripten/syscalls.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <wasi/api.h>

#include <algorithm>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr __wasi_fd_t kFirstPreopened = 3;

std::string working_folder() {
  const char* folder = std::getenv("PWD");
  return folder != nullptr && *folder == '/' ? folder : "/";
}

// From the root on, without "." and "..": "/a/b", "/".
std::string absolute(std::string_view path) {
  const std::string whole = path.starts_with('/') ? std::string(path) : working_folder() + "/" + std::string(path);
  std::vector<std::string_view> parts;
  for (size_t at = 0; at < whole.size();) {
    const size_t end = std::min(whole.find('/', at), whole.size());
    const std::string_view part(whole.data() + at, end - at);
    at = end + 1;
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
  }
  std::string out;
  for (const std::string_view part : parts) out.append("/").append(part);
  return out.empty() ? "/" : out;
}

struct Preopened {
  __wasi_fd_t fd;
  std::string name;  // absolute, with a slash at its end
};

const std::vector<Preopened>& preopened() {
  static const std::vector<Preopened> all = [] {
    std::vector<Preopened> found;
    __wasi_prestat_t stat;
    for (__wasi_fd_t fd = kFirstPreopened; __wasi_fd_prestat_get(fd, &stat) == __WASI_ERRNO_SUCCESS; ++fd) {
      std::string name(stat.u.dir.pr_name_len, '\0');
      if (__wasi_fd_prestat_dir_name(fd, reinterpret_cast<uint8_t*>(name.data()), name.size()) != 0) continue;
      name = absolute(std::string_view(name).substr(0, name.find('\0')));
      found.push_back({fd, name == "/" ? name : name + "/"});
    }
    return found;
  }();
  return all;
}

// A folder that is open, and the way from it.
struct Place {
  __wasi_fd_t fd = 0;
  std::string path;
};

// Whether a folder that the host gave holds the path; `place` says where.
bool find(int folder, const char* path, Place& place) {
  if (folder != AT_FDCWD && *path != '/') {
    place = {static_cast<__wasi_fd_t>(folder), *path == '\0' ? "." : path};
    return true;
  }
  const std::string whole = absolute(path);
  const std::string with_slash = whole == "/" ? whole : whole + "/";
  const Preopened* best = nullptr;
  for (const Preopened& p : preopened()) {
    if (with_slash.starts_with(p.name) && (best == nullptr || p.name.size() > best->name.size())) best = &p;
  }
  if (best == nullptr) return false;
  place.fd = best->fd;
  place.path = whole.size() <= best->name.size() ? "." : whole.substr(best->name.size());
  // A name keeps the slash that asks for a folder.
  if (place.path != "." && std::string_view(path).ends_with('/')) place.path += '/';
  return true;
}

mode_t mode_of(__wasi_filetype_t type) {
  switch (type) {
    case __WASI_FILETYPE_REGULAR_FILE:
      return S_IFREG | 0666;
    case __WASI_FILETYPE_DIRECTORY:
      return S_IFDIR | 0777;
    case __WASI_FILETYPE_SYMBOLIC_LINK:
      return S_IFLNK | 0777;
    case __WASI_FILETYPE_CHARACTER_DEVICE:
      return S_IFCHR | 0666;
    case __WASI_FILETYPE_BLOCK_DEVICE:
      return S_IFBLK | 0666;
    default:
      return S_IFIFO | 0666;
  }
}

int give(const __wasi_filestat_t& from, struct stat* to) {
  *to = {};
  to->st_dev = static_cast<dev_t>(from.dev);
  to->st_ino = from.ino;
  to->st_mode = mode_of(from.filetype);
  to->st_nlink = static_cast<nlink_t>(from.nlink);
  to->st_size = static_cast<off_t>(from.size);
  to->st_mtim.tv_sec = static_cast<time_t>(from.mtim / 1'000'000'000);
  return 0;
}

int status_at(int folder, const char* path, struct stat* to, bool follow) {
  Place place;
  if (!find(folder, path, place)) return -ENOENT;
  __wasi_filestat_t stat;
  const auto error = __wasi_path_filestat_get(place.fd, follow ? __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW : 0,
                                              place.path.c_str(), place.path.size(), &stat);
  return error != 0 ? -error : give(stat, to);
}

// Where each folder is read on.
std::map<int, __wasi_dircookie_t>& read_on() {
  static std::map<int, __wasi_dircookie_t> cookies;
  return cookies;
}

}  // namespace

extern "C" {

int __syscall_openat(int folder, const char* path, int flags, ...) {
  Place place;
  if (!find(folder, path, place)) return -ENOENT;
  const int access = flags & O_ACCMODE;
  const bool reads = access != O_WRONLY, writes = access != O_RDONLY;
  __wasi_oflags_t opening = 0;
  if (flags & O_CREAT) opening |= __WASI_OFLAGS_CREAT;
  if (flags & O_EXCL) opening |= __WASI_OFLAGS_EXCL;
  if (flags & O_TRUNC) opening |= __WASI_OFLAGS_TRUNC;
  if (flags & O_DIRECTORY) opening |= __WASI_OFLAGS_DIRECTORY;
  __wasi_rights_t rights = __WASI_RIGHTS_FD_SEEK | __WASI_RIGHTS_FD_TELL | __WASI_RIGHTS_FD_FILESTAT_GET;
  if (reads) {
    rights |= __WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_READDIR | __WASI_RIGHTS_PATH_OPEN |
              __WASI_RIGHTS_PATH_FILESTAT_GET | __WASI_RIGHTS_PATH_READLINK;
  }
  if (writes) rights |= __WASI_RIGHTS_FD_WRITE | __WASI_RIGHTS_FD_FILESTAT_SET_SIZE;
  const auto append = static_cast<__wasi_fdflags_t>(flags & O_APPEND ? __WASI_FDFLAGS_APPEND : 0);
  __wasi_fd_t fd;
  const auto error = __wasi_path_open(place.fd, flags & O_NOFOLLOW ? 0 : __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW,
                                      place.path.c_str(), place.path.size(), opening, rights, rights, append, &fd);
  if (error != 0) return -error;
  read_on().erase(static_cast<int>(fd));
  return static_cast<int>(fd);
}

int __syscall_fstat64(int fd, struct stat* to) {
  __wasi_filestat_t stat;
  const auto error = __wasi_fd_filestat_get(static_cast<__wasi_fd_t>(fd), &stat);
  return error != 0 ? -error : give(stat, to);
}

int __syscall_stat64(const char* path, struct stat* to) { return status_at(AT_FDCWD, path, to, true); }
int __syscall_lstat64(const char* path, struct stat* to) { return status_at(AT_FDCWD, path, to, false); }

int __syscall_newfstatat(int folder, const char* path, struct stat* to, int flags) {
  if ((flags & AT_EMPTY_PATH) && *path == '\0') return __syscall_fstat64(folder, to);
  return status_at(folder, path, to, !(flags & AT_SYMLINK_NOFOLLOW));
}

int __syscall_readlinkat(int folder, const char* path, char* to, size_t size) {
  Place place;
  if (!find(folder, path, place)) return -ENOENT;
  __wasi_size_t used = 0;
  const auto error = __wasi_path_readlink(place.fd, place.path.c_str(), place.path.size(),
                                          reinterpret_cast<uint8_t*>(to), size, &used);
  // The folders that hosts open beforehand are no links, whatever they say of their names.
  if (place.path == ".") return -EINVAL;
  return error != 0 ? -error : static_cast<int>(used);
}

int __syscall_getcwd(char* to, size_t size) {
  const std::string folder = absolute(".");
  if (size <= folder.size()) return -ERANGE;
  std::memcpy(to, folder.c_str(), folder.size() + 1);
  return static_cast<int>(folder.size() + 1);
}

// Whole entries, as many as fit; 0 behind the last one.
int __syscall_getdents64(int fd, void* to, size_t size) {
  auto* out = static_cast<uint8_t*>(to);
  size_t used = 0;
  __wasi_dircookie_t& cookie = read_on()[fd];
  // One entry and its name at a time: what a host gives more is asked for again.
  uint8_t buffer[sizeof(__wasi_dirent_t) + 256];
  while (used + sizeof(dirent) <= size) {
    __wasi_size_t got = 0;
    const auto error = __wasi_fd_readdir(static_cast<__wasi_fd_t>(fd), buffer, sizeof buffer, cookie, &got);
    if (error != 0) return -error;
    __wasi_dirent_t entry;
    if (got < sizeof entry) break;
    std::memcpy(&entry, buffer, sizeof entry);
    if (entry.d_namlen > 255) return -ENAMETOOLONG;
    dirent given = {};
    given.d_ino = entry.d_ino;
    given.d_off = static_cast<off_t>(entry.d_next);
    given.d_reclen = sizeof given;
    given.d_type = static_cast<unsigned char>(mode_of(entry.d_type) >> 12);
    std::memcpy(given.d_name, buffer + sizeof entry, entry.d_namlen);
    std::memcpy(out + used, &given, sizeof given);
    used += sizeof given;
    cookie = entry.d_next;
  }
  return static_cast<int>(used);
}

}  // extern "C"
