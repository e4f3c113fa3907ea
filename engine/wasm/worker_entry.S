# int32_t nm_worker_run(uint32_t index, void* stack, size_t bytes)
#
# A worker is a second instance of the module on the same memory. It starts with the main instance's stack pointer, so
# nothing compiled from C++ may run before this has moved it: thread-local variables go to the start of the block, the
# stack grows down from its end.
#if defined(__wasm64__)
#define ADDRESS i64
#else
#define ADDRESS i32
#endif
    .globaltype __stack_pointer, ADDRESS
    .globaltype __tls_base, ADDRESS
    .functype   __wasm_init_tls (ADDRESS) -> ()
    .functype   nm_worker_main (i32) -> ()

    .section .text.nm_worker_run,"",@
    .globl  nm_worker_run
    .export_name nm_worker_run, nm_worker_run
    .type   nm_worker_run,@function
nm_worker_run:
    .functype nm_worker_run (i32, ADDRESS, ADDRESS) -> (i32)
    local.get 1
    local.get 2
    ADDRESS.add
    global.set __stack_pointer
    local.get 1
    call __wasm_init_tls
    local.get 0
    call nm_worker_main
    i32.const 0
    end_function
