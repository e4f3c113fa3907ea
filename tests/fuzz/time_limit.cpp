#include "tests/fuzz/time_limit.h"

#ifdef __EMSCRIPTEN__

namespace nm::fuzz {

TimeLimit::TimeLimit(Session&) {}
TimeLimit::~TimeLimit() = default;

}  // namespace nm::fuzz

#else

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace nm::fuzz {
namespace {

constexpr auto kPatience = std::chrono::seconds(2);

class Watchdog {
 public:
  Watchdog() : thread_([this] { watch(); }) {}
  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  void guard(Session* session) {
    const std::lock_guard lock(mutex_);
    session_ = session;
    since_ = std::chrono::steady_clock::now();
  }

 private:
  void watch() {
    std::unique_lock lock(mutex_);
    while (!stop_) {
      changed_.wait_for(lock, std::chrono::milliseconds(100));
      if (session_ != nullptr && std::chrono::steady_clock::now() - since_ > kPatience)
        session_->cancel_flag().store(1);
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  Session* session_ = nullptr;
  std::chrono::steady_clock::time_point since_;
  bool stop_ = false;
  std::thread thread_;
};

Watchdog& watchdog() {
  static Watchdog w;
  return w;
}

}  // namespace

TimeLimit::TimeLimit(Session& session) { watchdog().guard(&session); }
TimeLimit::~TimeLimit() { watchdog().guard(nullptr); }

}  // namespace nm::fuzz

#endif
