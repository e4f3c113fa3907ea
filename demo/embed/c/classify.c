// Names the sign in a picture of 28 by 28 bytes of ink, with a bundle that wasm2c has turned into C (see ../README.md).
#include <stdio.h>
#include <string.h>

#include "digits.h"
#include "wasm-rt-exceptions.h"
#include "wasm-rt-impl.h"

static w2c_digits digits;

// Where an address of the module is. The memory may move in any call, so nobody keeps what this returns.
static uint8_t* at(uint32_t address) { return w2c_digits_memory(&digits)->data + address; }

// Failures are null pointers and negative numbers; nm_last_error has the sentence.
static void check(int ok) {
  if (ok) return;
  fprintf(stderr, "%s\n", (const char*)at(w2c_digits_nm_last_error(&digits)));
  exit(1);
}

int main(int argc, char** argv) {
  uint8_t ink[785];
  FILE* file = argc == 2 ? fopen(argv[1], "rb") : NULL;
  size_t size = file != NULL ? fread(ink, 1, sizeof ink, file) : 0;
  if (size != 784) {
    fprintf(stderr, "usage: classify PICTURE, a file of 784 bytes\n");
    return 1;
  }
  fclose(file);
  wasm_rt_init();
  const wasm_rt_trap_t trap = wasm_rt_impl_try();
  if (trap != 0) {
    fprintf(stderr, "The module trapped: %s\n", wasm_rt_strerror(trap));
    return 1;
  }
  wasm2c_digits_instantiate(&digits);
  const uint32_t session = *w2c_digits_nm_session(&digits);

  // One float32 tensor of the shape [1, 1, 28, 28].
  const int64_t shape[] = {1, 1, 28, 28};
  const uint32_t dims = w2c_digits_nm_alloc(&digits, sizeof shape);
  memcpy(at(dims), shape, sizeof shape);
  const uint32_t image = w2c_digits_nm_input(&digits, session, 0, 1, dims, 4);
  check(image != 0);
  for (int i = 0; i < 784; i++) {
    const float value = ink[i] / 255.0f;
    memcpy(at(image + 4 * i), &value, sizeof value);
  }
  check(w2c_digits_nm_run(&digits, session) == 0);

  // nm_tensor: type, rank, address of the dimensions, address of the elements, bytes.
  uint32_t tensor[5];
  const uint32_t place = w2c_digits_nm_alloc(&digits, sizeof tensor);
  check(w2c_digits_nm_value_tensor(&digits, w2c_digits_nm_output(&digits, session, 0), 0, place) == 0);
  memcpy(tensor, at(place), sizeof tensor);
  float probabilities[36];
  memcpy(probabilities, at(tensor[3]), sizeof probabilities);
  int best = 0;
  for (int i = 1; i < 36; i++) {
    if (probabilities[i] > probabilities[best]) best = i;
  }
  printf("%c %.4f\n", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[best], probabilities[best]);
  return 0;
}
