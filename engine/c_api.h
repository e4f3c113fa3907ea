// The flat C ABI of Neuromancer: integers and pointers only, no exceptions, no callbacks.
//
// The same functions are the exports of every WebAssembly artefact and the surface that the native
// CLI uses. A session owns everything it needs; sessions share nothing. No function may be called
// from two threads at once on the same session, except nm_cancel.
//
// Failures: functions that return a pointer return NULL, functions that return int32_t return the
// negative of an nm_code, and nm_last_error() then describes the failure as JSON:
//   {"code":"shape_mismatch","message":"…one sentence that says what to do…",
//    "operator":"Conv","node":"conv_12","input":"x","expected":"float32[1,3,224,224]","actual":"…"}
// Absent fields are omitted; the code is its nm_code's name in lower case. A failure leaves what it concerns as it was:
// a session can be run again, also after out_of_memory. One exception is left: an allocation that neither the heap nor
// the reserve kept for this (see engine/base/reserve.h) can satisfy ends a process, and traps in WebAssembly.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__wasm__)
#define NM_EXPORT __attribute__((visibility("default"), used))
#else
#define NM_EXPORT
#endif

typedef struct nm_session nm_session;
// A model's file, and those it refers to, on their way in.
typedef struct nm_model nm_model;
// A tensor, a sequence of values, a map, or nothing (an absent optional).
typedef struct nm_value nm_value;

// web/src/c-abi.ts is made of this header: after a change run `npm run c-abi -w web`. Enumerators are called
// NM_<ENUM>_<NAME>.

// Why a call failed.
typedef enum nm_code {
  NM_CODE_OK = 0,
  NM_CODE_INVALID_MODEL = 1,         // bytes that are not a well-formed ONNX model
  NM_CODE_UNSUPPORTED_OPERATOR = 2,  // an operator, version, type or attribute that the engine does not have
  NM_CODE_INVALID_ARGUMENT = 3,      // a call or an option that makes no sense
  NM_CODE_MISSING_INPUT = 4,         // a required input was not given
  NM_CODE_TYPE_MISMATCH = 5,         // an element type differs from what the model declares
  NM_CODE_SHAPE_MISMATCH = 6,        // a shape differs from what the model or an operator needs
  NM_CODE_OUT_OF_MEMORY = 7,
  NM_CODE_CANCELLED = 8,
  NM_CODE_INVALID_DATA = 9,     // an input's values are out of the range that an operator allows
  NM_CODE_INTERNAL = 10,        // a defect of the engine
  NM_CODE_LIMIT_EXCEEDED = 11,  // the model takes more than nm_limit allows
} nm_code;

// Element types, with ONNX's TensorProto.DataType numbers.
typedef enum nm_dtype {
  NM_DTYPE_FLOAT32 = 1,
  NM_DTYPE_UINT8 = 2,
  NM_DTYPE_INT8 = 3,
  NM_DTYPE_UINT16 = 4,
  NM_DTYPE_INT16 = 5,
  NM_DTYPE_INT32 = 6,
  NM_DTYPE_INT64 = 7,
  NM_DTYPE_STRING = 8,
  NM_DTYPE_BOOL = 9,
  NM_DTYPE_FLOAT16 = 10,
  NM_DTYPE_FLOAT64 = 11,
  NM_DTYPE_UINT32 = 12,
  NM_DTYPE_UINT64 = 13,
  NM_DTYPE_COMPLEX64 = 14,
  NM_DTYPE_COMPLEX128 = 15,
  NM_DTYPE_BFLOAT16 = 16,
  NM_DTYPE_FLOAT8E4M3FN = 17,
  NM_DTYPE_FLOAT8E4M3FNUZ = 18,
  NM_DTYPE_FLOAT8E5M2 = 19,
  NM_DTYPE_FLOAT8E5M2FNUZ = 20,
  NM_DTYPE_UINT4 = 21,
  NM_DTYPE_INT4 = 22,
  NM_DTYPE_FLOAT4E2M1 = 23,
  NM_DTYPE_FLOAT8E8M0 = 24,
  NM_DTYPE_UINT2 = 25,
  NM_DTYPE_INT2 = 26,
} nm_dtype;

typedef struct nm_tensor {
  int32_t dtype;  // an nm_dtype
  uint32_t rank;
  const int64_t* dims;  // rank entries
  void* data;           // row-major, contiguous; a string tensor has NULL here. Narrow types are packed, low bits first
  size_t byte_length;
} nm_tensor;

// Library facts as JSON: {"version":"0.1.0","artefact":"wasm-relaxed","isa":"wasm-relaxed",
// "threads":false,"operators":123}
NM_EXPORT const char* nm_build_info(void);

// 64-byte aligned memory inside the engine's heap; NULL when there is none left. nm_free(NULL) is allowed.
NM_EXPORT void* nm_alloc(size_t bytes);
NM_EXPORT void nm_free(void* pointer);

// JSON of the most recent failure in this instance; "{}" when there was none.
NM_EXPORT const char* nm_last_error(void);

// Takes in a model's file, ONNX or packed (see nm_pack), in pieces of any size, so that nobody ever holds all of it.
// `size` is how many bytes the file has, or 0 when that is not known; with it, memory need not grow as the bytes come.
NM_EXPORT nm_model* nm_new_model(size_t size);
// The file's next bytes, which remain the caller's. Returns 0 or a negative value.
NM_EXPORT int32_t nm_model_bytes(nm_model* model, const uint8_t* bytes, size_t count);
// The model's file is complete: the bytes given from now on are those of the external data file that the model calls
// `path`. Returns 0 or a negative value. A packed model has none.
NM_EXPORT int32_t nm_external_file(nm_model* model, const char* path, size_t size);
NM_EXPORT void nm_free_model(nm_model* model);
// Sets a limit for loading the model and for all runs of its session, whose names and defaults are in
// engine/base/limits.h ("nodes", "nesting", "rounds", "textBytes", "bytes"). A negative value is no limit. What exceeds
// one fails with "limit_exceeded". Returns 0, or a negative value when there is no limit of that name.
NM_EXPORT int32_t nm_limit(nm_model* model, const char* name, double value);

// Gives a dimension that the model leaves open, and names, a number, for loading or packing it: shapes that follow are
// then known beforehand. Returns 0, or a negative value when `number` is no size. A name that the model does not have
// is refused when it is loaded.
NM_EXPORT int32_t nm_dimension(nm_model* model, const char* name, double number);

// Declares an operator that the engine does not have and the caller computes, for loading or packing the model. Of a
// node that has it, output i < `count` is of the element type types[i], or, where that is 0, of that of input like[i];
// it has the shape of that input, or, where like[i] is -1, one that is known when it has been computed (and, without a
// type of its own, the type of input 0). With a count of 0 there may be any number of outputs, like {0, -1} each. Such
// a node may be in the bodies of Loop and If, and is computed in every run: no pass looks into it. Returns 0, or a
// negative value when the declaration makes no sense or is the second one; a model with nodes of the name of an
// operator that the engine has is refused when it is loaded.
NM_EXPORT int32_t nm_custom_operator(nm_model* model, const char* domain, const char* name, const int32_t* types,
                                     const int32_t* like, uint32_t count);

// Makes a session of a model, which belongs to the engine from this call on, whether or not it succeeds. `flags` is 0
// or a sum of:
#define NM_LOAD_UNOPTIMIZED 1u  // skip the graph passes: for finding out whether one is at fault; not of a packed model
NM_EXPORT nm_session* nm_load(nm_model* model, uint32_t flags);
NM_EXPORT void nm_release(nm_session* session);
// Makes a packed model of an ONNX model, which belongs to the engine from this call on, whether or not it succeeds: a
// uint8 tensor with the bytes of a file that every build of this version loads without reading ONNX or optimising
// (docs/packed.md). `flags` is 0 or a sum of nm_load's and of these, of the last three one at most. NULL on failure.
#define NM_PACK_STRIPPED 2u  // without the names of values and nodes inside the model, which errors and profiles show
#define NM_PACK_FLOAT16 4u   // float32 weights as halves,
#define NM_PACK_INT8 8u      // or as integers of 8 bits with a scale for each channel,
#define NM_PACK_INT4 16u     // or those of products in blocks of 4 bits; results are then others (docs/packed.md)
NM_EXPORT nm_value* nm_pack(nm_model* model, uint32_t flags);

// Metadata as JSON, owned by the session and valid until it is released:
// {"name":"main_graph","producer":"pytorch 2.1","opsets":{"ai.onnx":17},"metadata":{…},
//  "inputs":[{"name":"x","type":"float32","shape":[1,"sequence",224],"optional":false}],
//  "outputs":[…], "operators":{"Conv":26,…}, "warnings":["…"], "nodes":66, "weightBytes":2483000}
// Operators, nodes and weights are those in the bodies of nodes, too.
// Warnings are sentences: an operator set that is newer than this build, inputs whose value the file fixes.
// A dimension is a number, a symbol's name, or null when nothing is known; "shape" is absent when the
// rank is unknown. Types are ONNX's lower-case names ("float32", "int64", "string", …) and compositions of them:
// "sequence(float32)", "optional(sequence(int64))", "map(string,float32)".
NM_EXPORT const char* nm_describe(nm_session* session);

// Declares the next run's value for input `index`, and returns where its elements are to be written
// (row-major, engine-owned, valid until the next call on this session). NULL when type or shape do not
// fit the model. A size-0 tensor yields a valid pointer to nothing. Not for strings.
NM_EXPORT void* nm_input(nm_session* session, uint32_t index, int32_t dtype, const int64_t* dims, uint32_t rank);
// The same for any value, which belongs to the engine from this call on, whether or not it fits; NULL leaves an
// optional input out. Returns 0 or a negative value.
NM_EXPORT int32_t nm_input_value(nm_session* session, uint32_t index, nm_value* value);

// Values for nm_input_value. All return NULL on failure, and own what they are made of from the call on.
// A tensor whose elements are to be written where nm_value_tensor says.
NM_EXPORT nm_value* nm_new_tensor(int32_t dtype, const int64_t* dims, uint32_t rank);
// `text` holds all strings one after the other as UTF-8, `ends[i]` is the end offset of string i.
NM_EXPORT nm_value* nm_new_strings(const int64_t* dims, uint32_t rank, const char* text, const uint32_t* ends);
NM_EXPORT nm_value* nm_new_sequence(nm_value* const* items, uint32_t count);
// Two tensors of one dimension and the same length: keys (integers or strings) and their values.
NM_EXPORT nm_value* nm_new_map(nm_value* keys, nm_value* values);
NM_EXPORT void nm_free_value(nm_value* value);

// Runs the model on the declared inputs; 0 on success. Inputs must be declared before every run.
NM_EXPORT int32_t nm_run(nm_session* session);

// The same in pieces, so that a host can yield, cancel, or time each step with its own clock:
// nm_run_begin plans and binds; nm_run_steps then executes up to `count` steps and returns the number
// still to do (0 = finished). The rounds of a loop and the steps of its body count as steps, and a loop may be left in
// its middle: the number returned is then the same as before. A run that is not finished is dropped by the next
// nm_run_begin.
NM_EXPORT int32_t nm_run_begin(nm_session* session);
NM_EXPORT int32_t nm_run_steps(nm_session* session, uint32_t count);

// The node of a custom operator that the run waits for, as JSON; NULL when it does not. Asked after nm_run_steps, which
// returns before such a node, and gets no further until all outputs have been given. A run that is not to go on is
// cancelled or dropped like any other. nm_run cannot run models with such nodes.
// {"domain":"com.example","operator":"Fancy","node":"fancy_3","inputs":2,"outputs":1,
//  "attributes":[{"name":"alpha","kind":"float"}, …]}
// Kinds are ONNX's: int, float, string, tensor, ints, floats, strings. The text and the attributes are the same ones
// for all calls of one node, and valid until nm_release.
NM_EXPORT const char* nm_waiting(nm_session* session);
// Attribute `index` of that node: numbers and texts as tensors, without dimensions or with one. NULL when there is
// none.
NM_EXPORT const nm_value* nm_waiting_attribute(nm_session* session, uint32_t index);
// Input `index`, valid until nm_run_steps goes on; NULL when it was left out.
NM_EXPORT const nm_value* nm_waiting_input(nm_session* session, uint32_t index);
// Gives output `index`, a tensor, which belongs to the engine from this call on, whether or not it fits; NULL for one
// that the node does not name. Returns 0 or a negative value, after which it may be given anew.
NM_EXPORT int32_t nm_give_output(nm_session* session, uint32_t index, nm_value* value);

// The steps of the current plan as JSON (valid until the next nm_run_begin):
// [{"node":"conv_12","operator":"Conv","shape":"float32[1,64,56,56]","flops":N,"bytes":N,"kernel":"gemm 6x8",
//   "values":["conv_12_out"]}, …]
// Values are the outputs' names in the model, empty for one that the node leaves out or a pass has made. What passes
// keep of a model's images with the channels last is called NAME.channels_last.
NM_EXPORT const char* nm_steps(nm_session* session);
// Output `output` of step `step`, as long as it is there: for certain between the nm_run_steps that has executed the
// step and the next one. NULL where there is none.
NM_EXPORT const nm_value* nm_step_value(nm_session* session, uint32_t step, uint32_t output);

// Output `index` of the finished run, NULL on failure. It and all that is read from it stay valid until the next
// nm_run_begin, nm_run or nm_release.
NM_EXPORT const nm_value* nm_output(nm_session* session, uint32_t index);
// The same as a value of the caller's own, which outlives the session's next runs and the session: for nm_input_value
// of any session in this instance, which takes tensors without copying them, or nm_free_value. What it shares memory
// with is for one thread at a time. NULL on failure.
NM_EXPORT nm_value* nm_take_output(nm_session* session, uint32_t index);
// From the next run on output `index` gets memory of its own in every run, so that nm_take_output need not copy it.
// For state that goes from one run to the next. `dtype` is 0, or says how a float32 output that grows in place along
// its last axis but one is stored: NM_DTYPE_FLOAT16, or NM_DTYPE_INT8, each row along the last axis with a scale of its
// own. Rows are rounded when they are written, and whoever reads them, the same run included, reads what they are then;
// the value remains a float32 tensor. Any other output stays as it is. Returns 0 or a negative value; drops a finished
// run.
NM_EXPORT int32_t nm_keep_output(nm_session* session, uint32_t index, int32_t dtype);
// From the next run on output `index` is computed, as all are at first, or with 0 is not: what no other output needs is
// left out of the run, and the output is nothing (NM_KIND_NOTHING). Returns 0 or a negative value.
NM_EXPORT int32_t nm_want_output(nm_session* session, uint32_t index, int32_t wanted);
// Another reference to the same value, to be given away or freed by itself.
NM_EXPORT nm_value* nm_share_value(const nm_value* value);
// The first `length` positions of a tensor along an axis, as a value of the caller's own: a cache of keys without its
// latest rows. In the same memory where that has room to grow on. NULL on failure.
NM_EXPORT nm_value* nm_shorten_value(const nm_value* value, uint32_t axis, double length);
typedef enum nm_kind {
  NM_KIND_NOTHING = 0,  // an optional output that the model left out
  NM_KIND_TENSOR = 1,
  NM_KIND_SEQUENCE = 2,
  NM_KIND_MAP = 3,
} nm_kind;
// An nm_kind.
NM_EXPORT int32_t nm_value_kind(const nm_value* value);
// The items of a sequence.
NM_EXPORT int32_t nm_value_count(const nm_value* value);
NM_EXPORT const nm_value* nm_value_item(const nm_value* value, uint32_t item);
// `part` is 0 for a tensor; a map has two, the keys (0) and the values (1). Returns 0 or a negative value.
NM_EXPORT int32_t nm_value_tensor(const nm_value* value, uint32_t part, nm_tensor* out);
// The same without `data` and `byte_length`: nothing is read. A value that was kept may lie in memory with room to grow
// on, from which nm_value_tensor first copies it, or in memory that the next run may write to, which nm_value_tensor
// keeps as it is until the value is freed; this asks for its type and shape alone.
NM_EXPORT int32_t nm_value_shape(const nm_value* value, uint32_t part, nm_tensor* out);
// String `element` of a string tensor; returns its byte length and stores its address, negative on failure.
NM_EXPORT int32_t nm_value_string(const nm_value* value, uint32_t part, uint32_t element, const char** text);

// Makes a run in progress (on another thread) stop with code "cancelled": before its next step or the next round
// of a loop.
NM_EXPORT void nm_cancel(nm_session* session);
// The same for hosts whose other threads have no instance but share the memory: the address of a 32-bit word that stays
// the session's; storing 1 there cancels. A run begins with 0.
NM_EXPORT int32_t* nm_cancel_flag(nm_session* session);

// 1 when an allocation has failed since the last call from outside began. After a trap in WebAssembly this says that
// memory was the reason.
NM_EXPORT int32_t nm_exhausted(void);

// Memory as JSON: {"heap":N,"weights":N,"arena":N,"arenaBound":N,"scratch":N,"peak":N} in bytes. heap is all that is
// allocated now; arena holds intermediate results, of which arenaBound bytes are alive at once; scratch is what
// operators need beside it while they run.
NM_EXPORT const char* nm_memory(nm_session* session);

// Gives back the memory that a session keeps for its next run: the arena, scratch, the inputs' elements. Outputs of the
// last run can be read no more; those that were taken stay. Where many sessions share one instance, an idle one then
// has its weights and plans only. A run in progress ends.
NM_EXPORT void nm_trim(nm_session* session);

// Threads. Native: creates that many threads in all (the caller counts as one). In a threaded wasm
// artefact the host starts the workers: each one instantiates the module on the same memory and calls
// nm_worker_run (see engine/base/thread_pool.h); runs never wait for workers that have not arrived yet.
NM_EXPORT int32_t nm_set_threads(uint32_t count);

#if defined(__wasm_atomics__)
// The life of worker `index` (1 … count - 1) of a threaded wasm artefact: returns 0 when nm_set_threads leaves no place
// for it. `stack` is a block of `bytes` (at least 64 KiB) from the main instance's nm_alloc, the worker's own until
// this returns. Only ever called in an instance made for it, without _initialize.
NM_EXPORT int32_t nm_worker_run(uint32_t index, void* stack, size_t bytes);
#endif

#ifdef __cplusplus
}
#endif
