/* A chain of signal filters: function pointers, structures by value, unions, floats and doubles. */

typedef unsigned u32;
typedef struct { float gain, state; } Filter;
typedef struct { double sum; u32 seen; } Mean;
typedef float (*Step)(Filter *, float);

static float low_pass(Filter *f, float x) { f->state += f->gain * (x - f->state); return f->state; }
static float high_pass(Filter *f, float x) { float y = x - f->state; f->state += f->gain * y; return y; }
static float clamp(Filter *f, float x) {
    if (__builtin_fabsf(x) > f->gain) return __builtin_copysignf(f->gain, x);
    return x;
}
static float round_to(Filter *f, float x) { return __builtin_nearbyintf(x / f->gain) * f->gain; }

static Mean add(Mean m, float x) { m.sum += (double)x * (double)x; m.seen++; return m; }

/* A hash of the filtered signal that a seed makes. */
__attribute__((export_name("answer"))) u32 answer(u32 seed) {
    static const Step steps[4] = {low_pass, high_pass, clamp, round_to};
    Filter filters[6];
    Step chain[6];
    u32 state = seed, hash = 0;
    for (int i = 0; i < 6; i++) {
        state = state * 1664525u + 1013904223u;
        filters[i] = (Filter){.gain = (float)(1 + (state >> 24)) / 300.0f, .state = 0};
        chain[i] = steps[state >> 16 & 3];
    }
    Mean mean = {0, 0};
    for (int i = 0; i < 200; i++) {
        state = state * 1664525u + 1013904223u;
        union { float f; u32 u; } x = {.f = (float)(int)state * 0x1p-31f};
        for (int j = 0; j < 6; j++) x.f = chain[j](&filters[j], x.f);
        hash = (hash ^ x.u) * 0x01000193u + (u32)i;
        mean = add(mean, x.f);
    }
    double root = __builtin_sqrt(mean.sum / mean.seen);
    return hash ^ (u32)(long long)(root * 1e9);
}
