#include "core/hasher.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* OWASP's least for Argon2id: 19 MiB and two passes. */
enum { PASSES = 2, MEMORY_BYTES = 19 * 1024 * 1024 };
_Static_assert((int)HASHER_TEXT_BYTES >= (int)crypto_pwhash_STRBYTES, "room for an encoded hash");

struct job {
    uint64_t ticket;
    bool verify;
    char hash[HASHER_TEXT_BYTES];
    size_t password_n;
    size_t new_n;
    char password[HASHER_PASSWORD_BYTES];
    char new[HASHER_PASSWORD_BYTES];
    struct hasher_result result;
};

struct hasher {
    struct loop *loop;
    hasher_done *done;
    void *ctx;
    int told; /* eventfd: something is done */
    pthread_t thread;
    bool runs;
    uint64_t last; /* ticket */
    pthread_mutex_t lock;
    pthread_cond_t more;
    /* under the lock: jobs first .. first + waiting wait or are worked on, then done ones follow */
    bool stop;
    size_t first;   /* the next to be worked on */
    size_t waiting; /* from there on */
    size_t ready;   /* done, before first, not told yet */
    struct job jobs[HASHER_QUEUE];
    char none[HASHER_TEXT_BYTES]; /* of a password that nobody knows */
};

void
hasher_now(struct span password, char out[HASHER_TEXT_BYTES])
{
    if (sodium_init() < 0
        || crypto_pwhash_str(out, password.p, password.n, PASSES, MEMORY_BYTES) != 0)
        out[0] = '\0';
}

static void
work(const struct hasher *hasher, struct job *job)
{
    struct hasher_result *result = &job->result;
    const char *hash = job->hash[0] != '\0' ? job->hash : hasher->none;

    *result = (struct hasher_result){.right = true};
    if (job->verify)
        result->right = crypto_pwhash_str_verify(hash, job->password, job->password_n) == 0
            && hash == job->hash;
    if (result->right && job->new_n > 0)
        hasher_now((struct span){job->new, job->new_n}, result->hash);
    sodium_memzero(job->password, sizeof job->password);
    sodium_memzero(job->new, sizeof job->new);
}

static void *
run(void *ctx)
{
    struct hasher *hasher = ctx;
    const uint64_t one = 1;
    char nobody[32];

    randombytes_buf(nobody, sizeof nobody);
    hasher_now((struct span){nobody, sizeof nobody}, hasher->none);
    (void)pthread_mutex_lock(&hasher->lock);
    for (;;) {
        while (hasher->waiting == 0 && !hasher->stop)
            (void)pthread_cond_wait(&hasher->more, &hasher->lock);
        if (hasher->stop)
            break;
        struct job *job = &hasher->jobs[hasher->first];
        (void)pthread_mutex_unlock(&hasher->lock);
        work(hasher, job);
        (void)pthread_mutex_lock(&hasher->lock);
        hasher->first = (hasher->first + 1) % HASHER_QUEUE;
        hasher->waiting--;
        hasher->ready++;
        (void)!write(hasher->told, &one, sizeof one);
    }
    (void)pthread_mutex_unlock(&hasher->lock);
    return NULL;
}

static void
on_told(void *ctx, unsigned events)
{
    struct hasher *hasher = ctx;
    uint64_t count;

    (void)events;
    (void)!read(hasher->told, &count, sizeof count);
    for (;;) {
        (void)pthread_mutex_lock(&hasher->lock);
        size_t ready = hasher->ready;
        size_t at = (hasher->first + HASHER_QUEUE - ready) % HASHER_QUEUE;
        struct hasher_result result = hasher->jobs[at].result;
        uint64_t ticket = hasher->jobs[at].ticket;
        hasher->ready -= ready > 0;
        (void)pthread_mutex_unlock(&hasher->lock);
        if (ready == 0)
            return;
        hasher->done(hasher->ctx, ticket, &result);
    }
}

int
hasher_new(struct loop *loop, hasher_done *done, void *ctx, struct hasher **out, struct err *err)
{
    struct hasher *hasher = calloc(1, sizeof *hasher);

    *out = hasher;
    if (hasher == NULL || sodium_init() < 0)
        return err_set(err, ERR_NO_MEMORY, "no memory for passwords");
    hasher->loop = loop;
    hasher->done = done;
    hasher->ctx = ctx;
    hasher->told = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    (void)pthread_mutex_init(&hasher->lock, NULL);
    (void)pthread_cond_init(&hasher->more, NULL);
    if (hasher->told < 0)
        return err_set(err, ERR_IO, "no event descriptor for passwords");
    return loop_watch(loop, hasher->told, LOOP_READ, on_told, hasher, err);
}

static void
stop(struct hasher *hasher)
{
    (void)pthread_mutex_lock(&hasher->lock);
    hasher->stop = true;
    (void)pthread_cond_signal(&hasher->more);
    (void)pthread_mutex_unlock(&hasher->lock);
    (void)pthread_join(hasher->thread, NULL);
}

void
hasher_free(struct hasher *hasher)
{
    if (hasher == NULL)
        return;
    if (hasher->runs)
        stop(hasher);
    if (hasher->told >= 0) {
        loop_forget(hasher->loop, hasher->told);
        (void)close(hasher->told);
    }
    (void)pthread_mutex_destroy(&hasher->lock);
    (void)pthread_cond_destroy(&hasher->more);
    sodium_memzero(hasher->jobs, sizeof hasher->jobs);
    free(hasher);
}

static void
fill(struct job *job, const struct hasher_work *work, uint64_t ticket)
{
    *job = (struct job){.ticket = ticket,
        .verify = work->verify,
        .password_n = work->password.n,
        .new_n = work->new.n};
    if (work->hash.n > 0 && work->hash.n < sizeof job->hash)
        memcpy(job->hash, work->hash.p, work->hash.n);
    if (work->password.n > 0)
        memcpy(job->password, work->password.p, work->password.n);
    if (work->new.n > 0)
        memcpy(job->new, work->new.p, work->new.n);
}

/* Signals are the loop's. */
static int
start(struct hasher *hasher, struct err *err)
{
    sigset_t all;
    sigset_t before;

    if (hasher->runs)
        return 0;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&hasher->thread, NULL, run, hasher);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    hasher->runs = rc == 0;
    return rc == 0 ? 0 : err_set(err, ERR_NO_MEMORY, "no thread for passwords: %s", strerror(rc));
}

int
hasher_add(struct hasher *hasher, const struct hasher_work *work, uint64_t *ticket, struct err *err)
{
    if (work->password.n > HASHER_PASSWORD_BYTES || work->new.n > HASHER_PASSWORD_BYTES)
        return err_set(err, ERR_LIMIT, "a password has at most %d bytes", HASHER_PASSWORD_BYTES);
    int rc = start(hasher, err);
    if (rc != 0)
        return rc;
    (void)pthread_mutex_lock(&hasher->lock);
    bool room = hasher->waiting + hasher->ready < HASHER_QUEUE;
    if (room) {
        *ticket = ++hasher->last;
        fill(&hasher->jobs[(hasher->first + hasher->waiting) % HASHER_QUEUE], work, *ticket);
        hasher->waiting++;
        (void)pthread_cond_signal(&hasher->more);
    }
    (void)pthread_mutex_unlock(&hasher->lock);
    return room ? 0 : err_set(err, ERR_BUSY, "too many passwords wait to be looked at");
}
