/* A small motor controller, as firmware would have it: packets are checked by CRC, commands are
 * dispatched through a table, samples are filtered in fixed point, a state machine guards the
 * output, and a report is written as text to a buffer in linear memory.
 *
 * No library, no host: `report(seed, rounds)` returns a checksum and leaves its text at
 * `report_text()`, `report_length()` bytes long.
 *
 * Build: see build.sh. The committed controller.wasm is its output.
 */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed short i16;
typedef signed int i32;
typedef signed long long i64;

#define EXPORT(name) __attribute__((export_name(name)))
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* ---- text ------------------------------------------------------------------------------- */

static char text[1024];
static u32 text_length;

static void put_char(char c) {
  if (text_length < sizeof text) {
    text[text_length++] = c;
  }
}

static void put_string(const char *s) {
  while (*s) {
    put_char(*s++);
  }
}

static void put_unsigned(u32 value) {
  char digits[10];
  u32 count = 0;
  do {
    digits[count++] = (char)('0' + value % 10);
    value /= 10;
  } while (value);
  while (count) {
    put_char(digits[--count]);
  }
}

static void put_signed(i32 value) {
  if (value < 0) {
    put_char('-');
    put_unsigned(0u - (u32)value);
  } else {
    put_unsigned((u32)value);
  }
}

static void put_hex(u64 value, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    put_char("0123456789abcdef"[(value >> shift) & 15]);
  }
}

static void put_field(const char *name, i32 value) {
  put_string(name);
  put_char('=');
  put_signed(value);
  put_char('\n');
}

/* ---- random numbers and checksums ------------------------------------------------------- */

static u64 random_state;

static u32 random_next(void) {
  random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
  u32 shifted = (u32)(((random_state >> 18) ^ random_state) >> 27);
  u32 turn = (u32)(random_state >> 59);
  return (shifted >> turn) | (shifted << ((32 - turn) & 31));
}

static u32 crc_table[256];

static void crc_prepare(void) {
  for (u32 byte = 0; byte < 256; byte++) {
    u32 value = byte;
    for (int bit = 0; bit < 8; bit++) {
      value = value & 1 ? value >> 1 ^ 0xedb88320u : value >> 1;
    }
    crc_table[byte] = value;
  }
}

static u32 crc32(const u8 *data, u32 length) {
  u32 crc = 0xffffffffu;
  for (u32 i = 0; i < length; i++) {
    crc = crc_table[(crc ^ data[i]) & 255] ^ crc >> 8;
  }
  return ~crc;
}

static u64 fnv1a(const u8 *data, u32 length) {
  u64 hash = 0xcbf29ce484222325ull;
  for (u32 i = 0; i < length; i++) {
    hash = (hash ^ data[i]) * 0x100000001b3ull;
  }
  return hash;
}

/* ---- sorting: the median of the last samples -------------------------------------------- */

#define WINDOW 15

static i32 window[WINDOW];
static u32 window_next;

static void sort(i32 *values, i32 low, i32 high) {
  while (low < high) {
    i32 pivot = values[(low + high) >> 1];
    i32 left = low, right = high;
    while (left <= right) {
      while (values[left] < pivot) left++;
      while (values[right] > pivot) right--;
      if (left <= right) {
        i32 swapped = values[left];
        values[left++] = values[right];
        values[right--] = swapped;
      }
    }
    if (right - low < high - left) {
      sort(values, low, right);
      low = left;
    } else {
      sort(values, left, high);
      high = right;
    }
  }
}

static i32 median(void) {
  i32 sorted[WINDOW];
  for (u32 i = 0; i < WINDOW; i++) {
    sorted[i] = window[i];
  }
  sort(sorted, 0, WINDOW - 1);
  return sorted[WINDOW / 2];
}

/* ---- a biquad low-pass filter in Q14 ------------------------------------------------------ */

struct biquad {
  i32 b0, b1, b2, a1, a2;
  i32 x1, x2, y1, y2;
};

static struct biquad filter = {1081, 2162, 1081, -17090, 5029, 0, 0, 0, 0};

static i32 saturate16(i64 value) {
  return value > 32767 ? 32767 : value < -32768 ? -32768 : (i32)value;
}

static i32 filter_step(struct biquad *f, i32 x) {
  i64 sum = (i64)f->b0 * x + (i64)f->b1 * f->x1 + (i64)f->b2 * f->x2;
  sum -= (i64)f->a1 * f->y1 + (i64)f->a2 * f->y2;
  i32 y = saturate16(sum >> 14);
  f->x2 = f->x1;
  f->x1 = x;
  f->y2 = f->y1;
  f->y1 = y;
  return y;
}

/* ---- the state machine -------------------------------------------------------------------- */

enum state { IDLE, ARMED, RUNNING, LIMITED, FAULT };
enum event { ARM, START, STOP, OVERLOAD, CLEAR, TICK };

static enum state state;
static u32 state_visits[5];
static u32 overload_ticks;

static enum state next_state(enum state now, enum event event) {
  switch (now) {
    case IDLE: return event == ARM ? ARMED : IDLE;
    case ARMED: return event == START ? RUNNING : event == STOP ? IDLE : ARMED;
    case RUNNING:
      switch (event) {
        case STOP: return IDLE;
        case OVERLOAD: overload_ticks = 3; return LIMITED;
        case ARM: return FAULT;
        default: return RUNNING;
      }
    case LIMITED:
      if (event == TICK && --overload_ticks == 0) return RUNNING;
      return event == OVERLOAD ? FAULT : event == STOP ? IDLE : LIMITED;
    case FAULT: return event == CLEAR ? IDLE : FAULT;
  }
  return FAULT;
}

static void handle(enum event event) {
  state = next_state(state, event);
  state_visits[state]++;
}

/* ---- packets -------------------------------------------------------------------------------- */

struct packet {
  u8 command, length;
  u8 payload[10];
  u32 crc;
};

static i32 position, output;
static u32 rejected;

static void command_event(const u8 *payload) { handle((enum event)(payload[0] % 6)); }

static void command_sample(const u8 *payload) {
  i32 sample = (i16)(u16)(payload[0] | payload[1] << 8);
  window[window_next] = filter_step(&filter, sample);
  window_next = window_next + 1 == WINDOW ? 0 : window_next + 1;
}

static void command_move(const u8 *payload) {
  i32 wanted = (i16)(u16)(payload[2] | payload[3] << 8);
  i32 error = wanted - position;
  position += state == RUNNING ? error / 4 : state == LIMITED ? error / 16 : 0;
}

static void command_output(const u8 *payload) {
  output = (output * 7 + median() * (payload[4] & 3)) / 8;
}

static void (*const commands[])(const u8 *) = {
    command_event, command_sample, command_move, command_output, command_sample,
};

static void receive(const struct packet *packet) {
  if (crc32(&packet->command, 12) != packet->crc || packet->command >= LENGTH(commands)) {
    rejected++;
    return;
  }
  commands[packet->command](packet->payload);
}

static void make_packet(struct packet *packet) {
  packet->command = (u8)(random_next() % 6);
  packet->length = 10;
  for (u32 i = 0; i < sizeof packet->payload; i++) {
    packet->payload[i] = (u8)(random_next() >> 11);
  }
  packet->crc = crc32(&packet->command, 12) + (random_next() % 13 == 0);
}

/* ---- exports -------------------------------------------------------------------------------- */

EXPORT("report") u32 report(u32 seed, u32 rounds) {
  random_state = seed * 0x9e3779b97f4a7c15ull + 1;
  text_length = 0;
  position = output = 0;
  rejected = 0;
  state = IDLE;
  crc_prepare();
  for (u32 round = 0; round < rounds; round++) {
    struct packet packet;
    make_packet(&packet);
    receive(&packet);
    if (output > 20000 || output < -20000) handle(OVERLOAD);
    if (round % 5 == 0) handle(TICK);
  }
  put_field("position", position);
  put_field("output", output);
  put_field("median", median());
  put_field("rejected", (i32)rejected);
  for (u32 i = 0; i < LENGTH(state_visits); i++) {
    put_string("state ");
    put_unsigned(i);
    put_field(" visits", (i32)state_visits[i]);
  }
  put_string("hash=");
  put_hex(fnv1a((const u8 *)text, text_length), 16);
  put_char('\n');
  return crc32((const u8 *)text, text_length);
}

EXPORT("report_text") const char *report_text(void) { return text; }

EXPORT("report_length") u32 report_length(void) { return text_length; }
