#include "sys/fiber.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN
#endif
#endif
#ifdef FIBER_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

struct fiber {
    void (*run)(void *ctx);
    void *ctx;
    ucontext_t here;
    ucontext_t caller;
    char *stack; /* a guard page, then FIBER_STACK_BYTES */
    size_t guard_bytes;
    bool ended;
#ifdef FIBER_ASAN
    const void *caller_stack;
    size_t caller_stack_bytes;
    void *fake;
#endif
};

/* AddressSanitizer must know on which stack we are. */
static void
before_going(struct fiber *fiber, void **fake)
{
#ifdef FIBER_ASAN
    __sanitizer_start_switch_fiber(fake, fiber->stack + fiber->guard_bytes, FIBER_STACK_BYTES);
#else
    (void)fiber;
    (void)fake;
#endif
}

static void
before_leaving(struct fiber *fiber)
{
#ifdef FIBER_ASAN
    __sanitizer_start_switch_fiber(
        fiber->ended ? NULL : &fiber->fake, fiber->caller_stack, fiber->caller_stack_bytes);
#else
    (void)fiber;
#endif
}

static void
arrived(struct fiber *fiber)
{
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(fiber->fake, &fiber->caller_stack, &fiber->caller_stack_bytes);
#else
    (void)fiber;
#endif
}

/* makecontext passes ints only: the pointer comes in two. */
static void
begin(unsigned high, unsigned low)
{
    struct fiber *fiber = (struct fiber *)((uintptr_t)high << 32 | low);

    arrived(fiber);
    fiber->run(fiber->ctx);
    fiber->ended = true;
    before_leaving(fiber);
    (void)setcontext(&fiber->caller);
    abort();
}

int
fiber_new(void (*run)(void *ctx), void *ctx, struct fiber **out, struct err *err)
{
    struct fiber *fiber = calloc(1, sizeof *fiber);

    if (fiber == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a reader");
    fiber->run = run;
    fiber->ctx = ctx;
    fiber->guard_bytes = (size_t)sysconf(_SC_PAGESIZE);
    size_t bytes = fiber->guard_bytes + FIBER_STACK_BYTES;
    fiber->stack =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (fiber->stack == MAP_FAILED || mprotect(fiber->stack, fiber->guard_bytes, PROT_NONE) != 0
        || getcontext(&fiber->here) != 0) {
        fiber_free(fiber);
        return err_set(err, ERR_NO_MEMORY, "no memory for a reader's stack");
    }
    fiber->here.uc_stack.ss_sp = fiber->stack + fiber->guard_bytes;
    fiber->here.uc_stack.ss_size = FIBER_STACK_BYTES;
    uintptr_t self = (uintptr_t)fiber;
    makecontext(&fiber->here, (void (*)(void))begin, 2, (unsigned)(self >> 32), (unsigned)self);
    *out = fiber;
    return 0;
}

bool
fiber_go(struct fiber *fiber)
{
    void *fake = NULL;

    if (fiber->ended)
        return false;
    before_going(fiber, &fake);
    (void)swapcontext(&fiber->caller, &fiber->here);
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(fake, NULL, NULL);
#endif
    return !fiber->ended;
}

void
fiber_pause(struct fiber *fiber)
{
    before_leaving(fiber);
    (void)swapcontext(&fiber->here, &fiber->caller);
    arrived(fiber);
}

void
fiber_free(struct fiber *fiber)
{
    if (fiber == NULL)
        return;
    if (fiber->stack != NULL && fiber->stack != MAP_FAILED)
        (void)munmap(fiber->stack, fiber->guard_bytes + FIBER_STACK_BYTES);
    free(fiber);
}
