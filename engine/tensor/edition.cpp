#include "engine/tensor/edition.h"

#include <utility>

#include "engine/base/memory.h"
#include "engine/base/reserve.h"

namespace nm {

Status Extents::add(int64_t from, int64_t count) {
  if (count == 0) return {};
  count_ += count;
  if (!runs_.empty() && runs_.back().from + runs_.back().count == from) {
    runs_.back().count += count;
    return {};
  }
  return append(runs_, Run{from, count}, "the places that are written");
}

Status Extents::add(const Shape& extent, int64_t from, const Strides& strides) {
  if (extent.count() == 0) return {};
  const int last = extent.rank() - 1;
  const bool in_a_row = last >= 0 && strides[last] == 1;
  Shape steps = extent;
  if (in_a_row) steps[last] = 1;
  Strides at{};
  for (int64_t left = steps.count(); left > 0; --left) {
    NM_TRY(add(from, in_a_row ? extent[last] : 1));
    for (int d = last; d >= 0; --d) {
      from += strides[d];
      if (++at[d] < steps[d]) break;
      from -= steps[d] * strides[d];
      at[d] = 0;
    }
  }
  return {};
}

struct Edition::Memory {
  Tensor tensor;
  size_t kept_bytes = 0;  // by editions that were written over
};

// The owner of the tensors that `read` gives: as long as there is one, the memory stays as it is.
struct Edition::Reader {
  std::shared_ptr<Edition> edition;
};

Result<std::shared_ptr<Edition>> Edition::of(Tensor tensor) {
  NM_TRY(check_memory());
  auto memory = std::make_shared<Memory>();
  // One that `read` gave has a reader for its owner, and not its elements.
  if (tensor.owner().use_count() == 1 && tensor.owner().get() == tensor.raw()) {
    memory->tensor = std::move(tensor);
  } else {
    NM_ASSIGN(memory->tensor, Tensor::create(tensor.dtype(), tensor.shape()));
    copy_all(tensor, memory->tensor);
  }
  return std::shared_ptr<Edition>(new Edition(std::move(memory)));
}

Result<std::shared_ptr<Edition>> Edition::after(std::shared_ptr<Edition> before, Extents written) {
  NM_TRY(check_memory());
  if (before->later_ == nullptr && before->reader_.expired()) {
    if (before.use_count() == 1) return before;  // nobody will ask for what it was
    Memory& memory = *before->memory_;
    const Size bytes = dtype_bytes(before->dtype(), Size(written.count())) +
                       Size(written.runs().size()) * sizeof(Extents::Run) + sizeof(Edition);
    // One that is held for long keeps all that was overwritten since, but no more than a copy would take.
    if (Size(memory.kept_bytes) + bytes <= Size(memory.tensor.bytes())) {
      NM_ASSIGN(before->undo_, Tensor::create(before->dtype(), Shape{written.count()}));
      before->overwritten_ = std::move(written);
      int64_t at = 0;
      for (const Extents::Run& run : before->overwritten_.runs()) {
        copy_run(before->dtype(), memory.tensor.raw(), run.from, before->undo_.raw(), at, run.count);
        at += run.count;
      }
      before->later_.reset(new Edition(before->memory_));
      before->later_->earlier_ = before.get();
      memory.kept_bytes += before->kept_bytes();
      return before->later_;
    }
  }
  NM_ASSIGN(const Tensor contents, before->read());
  before.reset();
  return of(contents);
}

Edition::~Edition() { drop_later(); }

size_t Edition::kept_bytes() const {
  return undo_.bytes() + overwritten_.runs().size() * sizeof(Extents::Run) + sizeof(Edition);
}

void Edition::restore(void* elements) const {
  const Edition* e = this;
  while (e->later_ != nullptr) e = e->later_.get();
  while (e != this) {
    e = e->earlier_;
    int64_t at = 0;
    for (const Extents::Run& run : e->overwritten_.runs()) {
      copy_run(dtype(), e->undo_.raw(), at, elements, run.from, run.count);
      at += run.count;
    }
  }
}

std::shared_ptr<Edition> Edition::forget_later() {
  if (later_ == nullptr) return nullptr;
  memory_->kept_bytes -= kept_bytes();
  later_->earlier_ = nullptr;
  overwritten_ = {};
  undo_ = {};
  return std::exchange(later_, nullptr);
}

// One after the other, not each inside of the one before: a text may have thousands.
void Edition::drop_later() {
  std::shared_ptr<Edition> next = forget_later();
  while (next != nullptr && next.use_count() == 1) next = next->forget_later();
}

DType Edition::dtype() const { return memory_->tensor.dtype(); }
const Shape& Edition::shape() const { return memory_->tensor.shape(); }

Result<Tensor> Edition::read() {
  const auto is_held = [](const Edition* e) { return e->later_.use_count() > 1; };
  bool alone = true;
  for (const Edition* e = this; e->later_ != nullptr; e = e->later_.get()) alone = alone && !is_held(e);
  if (!alone) {
    NM_ASSIGN(Tensor copy, Tensor::create(dtype(), shape()));
    copy_all(memory_->tensor, copy);
    restore(copy.raw());
    return copy;
  }
  restore(memory_->tensor.raw());
  drop_later();
  std::shared_ptr<Reader> reader = reader_.lock();
  if (reader == nullptr) {
    reader = std::make_shared<Reader>(shared_from_this());
    reader_ = reader;
  }
  return Tensor::view(dtype(), shape(), memory_->tensor.raw(), std::move(reader));
}

}  // namespace nm
