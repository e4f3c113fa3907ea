// Emscripten's libraries would import these from a host. The engine needs no host: it has no files and no clock, and
// whoever embeds it looks at memory.buffer after every call. Defining them here leaves the artefacts without imports.
#include <wasi/api.h>

#include <cstddef>

extern "C" {

void emscripten_notify_memory_growth(size_t) {}

// Output (a failed libc assertion's message) is dropped, and counts as written so that nobody tries again.
__wasi_errno_t __wasi_fd_write(__wasi_fd_t, const __wasi_ciovec_t* vectors, size_t count, __wasi_size_t* written) {
  *written = 0;
  for (size_t i = 0; i < count; ++i) *written += vectors[i].buf_len;
  return __WASI_ERRNO_SUCCESS;
}
__wasi_errno_t __wasi_fd_close(__wasi_fd_t) { return __WASI_ERRNO_BADF; }
__wasi_errno_t __wasi_fd_seek(__wasi_fd_t, __wasi_filedelta_t, __wasi_whence_t, __wasi_filesize_t*) {
  return __WASI_ERRNO_BADF;
}

#if defined(__wasm_atomics__)
__wasi_errno_t __wasi_clock_time_get(__wasi_clockid_t, __wasi_timestamp_t, __wasi_timestamp_t*) {
  return __WASI_ERRNO_NOSYS;
}
// Asks the host whether this thread may sleep. Nothing set means no: the allocator's lock spins, on any thread.
void __do_set_thread_state() {}
#endif
}
