// The two layers that take a training step's time, for channels-last activations on a CPU: see fast_layers.py.
#include <torch/extension.h>

#include <cstring>
#include <mutex>
#include <vector>

// ---- PReLU, in fp32 or bf16 -------------------------------------------------------------------------------------------

static inline float widen(float value) { return value; }
static inline float widen(uint16_t bits) {
  const uint32_t word = uint32_t(bits) << 16;
  float value;
  std::memcpy(&value, &word, 4);
  return value;
}
static inline void store(float value, float& to) { to = value; }
static inline void store(float value, uint16_t& to) {
  uint32_t word;
  std::memcpy(&word, &value, 4);
  to = uint16_t((word + 0x7fff + ((word >> 16) & 1)) >> 16);
}

template <typename T>
static void bend(const T* in, const float* slope, T* out, int64_t pixels, int64_t channels) {
  for (int64_t i = 0; i < pixels; i++, in += channels, out += channels) {
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) {
      const float v = widen(in[c]);
      store(v > 0 ? v : v * slope[c], out[c]);
    }
  }
}

template <typename T>
static void bend_back(const T* grad, const T* in, const float* slope, T* out, float* sum, int64_t pixels, int64_t channels) {
  for (int64_t i = 0; i < pixels; i++, in += channels, grad += channels, out += channels) {
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) {
      const float v = widen(in[c]), d = widen(grad[c]);
      store(v > 0 ? d : d * slope[c], out[c]);
      sum[c] += v > 0 ? 0.f : d * v;
    }
  }
}

static const int64_t GRAIN = 1024;  // pixels that are worth a thread

template <typename T>
static void bend_all(const torch::Tensor& x, const float* slope, torch::Tensor& y) {
  const int64_t channels = x.size(1);
  const T* in = (const T*)x.data_ptr();
  T* out = (T*)y.data_ptr();
  at::parallel_for(0, x.numel() / channels, GRAIN, [&](int64_t begin, int64_t end) {
    bend(in + begin * channels, slope, out + begin * channels, end - begin, channels);
  });
}

template <typename T>
static void bend_all_back(const torch::Tensor& grad, const torch::Tensor& x, const float* slope, torch::Tensor& gx, torch::Tensor& gslope) {
  const int64_t channels = x.size(1);
  const T *in = (const T*)x.data_ptr(), *g = (const T*)grad.data_ptr();
  T* out = (T*)gx.data_ptr();
  float* total = gslope.data_ptr<float>();
  std::mutex adding;
  at::parallel_for(0, x.numel() / channels, GRAIN, [&](int64_t begin, int64_t end) {
    std::vector<float> sum(channels, 0.f);
    const int64_t from = begin * channels;
    bend_back(g + from, in + from, slope, out + from, sum.data(), end - begin, channels);
    const std::lock_guard<std::mutex> lock(adding);
    for (int64_t c = 0; c < channels; c++) total[c] += sum[c];
  });
}

torch::Tensor prelu(const torch::Tensor& x, const torch::Tensor& slope) {
  auto y = torch::empty_like(x);
  if (x.scalar_type() == torch::kFloat) bend_all<float>(x, slope.data_ptr<float>(), y);
  else bend_all<uint16_t>(x, slope.data_ptr<float>(), y);
  return y;
}

// -> gradients by x and by the slopes
std::vector<torch::Tensor> prelu_backward(const torch::Tensor& grad, const torch::Tensor& x, const torch::Tensor& slope) {
  auto gx = torch::empty_like(x), gslope = torch::zeros_like(slope);
  if (x.scalar_type() == torch::kFloat) bend_all_back<float>(grad, x, slope.data_ptr<float>(), gx, gslope);
  else bend_all_back<uint16_t>(grad, x, slope.data_ptr<float>(), gx, gslope);
  return {gx, gslope};
}

// ---- 3x3 convolution of 64 channels by Winograd's F(4x4, 3x3) (Lavin and Gray, CVPR 2016) --------------------------------
// A tile of 6 x 6 inputs gives 4 x 4 outputs with 36 products per pair of channels instead of 144:
// Y = A' [U (.) (B' X B)] A. Backward is the transpose of each of these steps, so the same products serve.

constexpr int64_t C = 64;       // channels
constexpr int LANES = 16;       // floats worked on at once
constexpr int64_t TILES = 36;   // of 6 x 6, held at once: their transforms stay in the second-level cache
constexpr int64_t POINTS = 36;  // products per tile

typedef float Lanes __attribute__((vector_size(LANES * 4)));

static inline Lanes load(const float* from) {
  Lanes value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
static inline void save(float* to, Lanes value) { std::memcpy(to, &value, sizeof value); }

// c[R rows][C] (+)= a[R rows][depth] b[depth][C]; `row` and `step` are a's strides.
template <int R>
static inline void product_rows(const float* a, int64_t row, int64_t step, const float* b, int64_t depth, float* c, bool add) {
  Lanes sum[R][C / LANES];
  for (int r = 0; r < R; r++)
    for (int j = 0; j < C / LANES; j++) sum[r][j] = add ? load(c + r * C + j * LANES) : Lanes{};
  for (int64_t k = 0; k < depth; k++) {
    Lanes line[C / LANES];
    for (int j = 0; j < C / LANES; j++) line[j] = load(b + k * C + j * LANES);
#pragma GCC unroll 6
    for (int r = 0; r < R; r++) {
      const float factor = a[r * row + k * step];
#pragma GCC unroll 4
      for (int j = 0; j < C / LANES; j++) sum[r][j] += factor * line[j];
    }
  }
  for (int r = 0; r < R; r++)
    for (int j = 0; j < C / LANES; j++) save(c + r * C + j * LANES, sum[r][j]);
}

static void product(const float* a, int64_t row, int64_t step, const float* b, int64_t rows, int64_t depth, float* c, bool add) {
  int64_t r = 0;
  for (; r + 6 <= rows; r += 6) product_rows<6>(a + r * row, row, step, b, depth, c + r * C, add);
  for (; r + 2 <= rows; r += 2) product_rows<2>(a + r * row, row, step, b, depth, c + r * C, add);
  for (; r < rows; r++) product_rows<1>(a + r * row, row, step, b, depth, c + r * C, add);
}

// The transforms along one side; `d` and `out` are lines of 6 or 4.
static inline void times_bt(const Lanes* d, Lanes* out) {
  out[0] = 4.f * d[0] - 5.f * d[2] + d[4];
  const Lanes p = d[4] - 4.f * d[2], q = d[3] - 4.f * d[1], r = d[4] - d[2], s = 2.f * (d[3] - d[1]);
  out[1] = p + q;
  out[2] = p - q;
  out[3] = r + s;
  out[4] = r - s;
  out[5] = 4.f * d[1] - 5.f * d[3] + d[5];
}
static inline void times_b(const Lanes* d, Lanes* out) {
  const Lanes p = d[1] + d[2], q = d[1] - d[2], r = d[3] + d[4], s = d[3] - d[4];
  out[0] = 4.f * d[0];
  out[1] = -4.f * q - 2.f * s + 4.f * d[5];
  out[2] = -5.f * d[0] - 4.f * p - r;
  out[3] = q + 2.f * s - 5.f * d[5];
  out[4] = d[0] + p + r;
  out[5] = d[5];
}
static inline void times_at(const Lanes* m, Lanes* out) {
  const Lanes p = m[1] + m[2], q = m[1] - m[2], r = m[3] + m[4], s = m[3] - m[4];
  out[0] = m[0] + p + r;
  out[1] = q + 2.f * s;
  out[2] = p + 4.f * r;
  out[3] = q + 8.f * s + m[5];
}
static inline void times_a(const Lanes* y, Lanes* out) {
  const Lanes p = y[0] + y[2], q = y[1] + y[3], r = y[0] + 4.f * y[2], s = 2.f * y[1] + 8.f * y[3];
  out[0] = y[0];
  out[1] = p + q;
  out[2] = p - q;
  out[3] = r + s;
  out[4] = r - s;
  out[5] = y[3];
}

using Line = void (*)(const Lanes*, Lanes*);

// [IN x IN] -> [OUT x OUT] by `line` along both sides.
template <int IN, int OUT, Line line>
static inline void both_sides(const Lanes (&in)[IN][IN], Lanes (&out)[OUT][OUT]) {
  Lanes half[IN][OUT];
  for (int i = 0; i < IN; i++) line(in[i], half[i]);
  for (int j = 0; j < OUT; j++) {
    Lanes column[IN], result[OUT];
    for (int i = 0; i < IN; i++) column[i] = half[i][j];
    line(column, result);
    for (int i = 0; i < OUT; i++) out[i][j] = result[i];
  }
}

// A square of SIDE pixels whose corner may lie outside a plane of height x width pixels of C channels; outside is zero.
template <int SIDE>
struct Window {
  int64_t top, left, height, width;
  bool holds(int i, int j) const { return top + i >= 0 && top + i < height && left + j >= 0 && left + j < width; }
  int64_t at(int i, int j) const { return ((top + i) * width + left + j) * C; }
  void read(const float* plane, int64_t c, Lanes (&into)[SIDE][SIDE]) const {
    for (int i = 0; i < SIDE; i++)
      for (int j = 0; j < SIDE; j++) into[i][j] = holds(i, j) ? load(plane + at(i, j) + c) : Lanes{};
  }
  void add(float* plane, int64_t c, const Lanes (&block)[SIDE][SIDE]) const {
    for (int i = 0; i < SIDE; i++)
      for (int j = 0; j < SIDE; j++)
        if (holds(i, j)) save(plane + at(i, j) + c, load(plane + at(i, j) + c) + block[i][j]);
  }
};

// The points of a tile stand TILES x C floats apart.
template <typename Block>
static inline void write_points(float* points, const Block& block) {
  for (int i = 0; i < 6; i++)
    for (int j = 0; j < 6; j++) save(points + (i * 6 + j) * TILES * C, block[i][j]);
}
static inline void read_points(const float* points, Lanes (&block)[6][6]) {
  for (int i = 0; i < 6; i++)
    for (int j = 0; j < 6; j++) block[i][j] = load(points + (i * 6 + j) * TILES * C);
}

// What is done to the tiles of one picture, TILES at a time.
struct Plane {
  int64_t height, width;
  int64_t across() const { return (width + 3) / 4; }
  int64_t tiles() const { return across() * ((height + 3) / 4); }
  Window<6> input(int64_t tile) const { return {tile / across() * 4 - 1, tile % across() * 4 - 1, height, width}; }
  Window<4> output(int64_t tile) const { return {tile / across() * 4, tile % across() * 4, height, width}; }

  void read_inputs(const float* x, int64_t first, int64_t count, float* points) const {
    for (int64_t t = 0; t < count; t++)
      for (int64_t c = 0; c < C; c += LANES) {
        Lanes d[6][6], v[6][6];
        input(first + t).read(x, c, d);
        both_sides<6, 6, times_bt>(d, v);
        write_points(points + t * C + c, v);
      }
  }
  void read_output_gradients(const float* gy, int64_t first, int64_t count, float* points) const {
    for (int64_t t = 0; t < count; t++)
      for (int64_t c = 0; c < C; c += LANES) {
        Lanes d[4][4], m[6][6];
        output(first + t).read(gy, c, d);
        both_sides<4, 6, times_a>(d, m);
        write_points(points + t * C + c, m);
      }
  }
  // Points to pixels by `line`; what tiles share is added up.
  template <int SIDE, Line line, typename At>
  void add_pixels(const float* points, int64_t first, int64_t count, float* plane, At window) const {
    for (int64_t t = 0; t < count; t++)
      for (int64_t c = 0; c < C; c += LANES) {
        Lanes in[6][6], out[SIDE][SIDE];
        read_points(points + t * C + c, in);
        both_sides<6, SIDE, line>(in, out);
        window(first + t).add(plane, c, out);
      }
  }
  void add_outputs(const float* points, int64_t first, int64_t count, float* y) const {
    add_pixels<4, times_at>(points, first, count, y, [this](int64_t tile) { return output(tile); });
  }
  void add_input_gradients(const float* points, int64_t first, int64_t count, float* gx) const {
    add_pixels<6, times_b>(points, first, count, gx, [this](int64_t tile) { return input(tile); });
  }
};

// x: [N, 64, H, W] channels last; u: [36, inputs, outputs], the transformed kernels; bias: [64].
torch::Tensor winograd(const torch::Tensor& x, const torch::Tensor& u, const torch::Tensor& bias) {
  auto y = torch::empty_like(x).copy_(bias.view({1, C, 1, 1}).expand_as(x));
  const Plane plane{x.size(2), x.size(3)};
  const int64_t size = plane.height * plane.width * C;
  const float *px = x.data_ptr<float>(), *pu = u.data_ptr<float>();
  float* py = y.data_ptr<float>();
  at::parallel_for(0, x.size(0), 1, [&](int64_t begin, int64_t end) {
    std::vector<float> v(POINTS * TILES * C), m(POINTS * TILES * C);
    for (int64_t n = begin; n < end; n++)
      for (int64_t first = 0; first < plane.tiles(); first += TILES) {
        const int64_t count = std::min(TILES, plane.tiles() - first);
        plane.read_inputs(px + n * size, first, count, v.data());
        for (int64_t p = 0; p < POINTS; p++) product(&v[p * TILES * C], C, 1, pu + p * C * C, count, C, &m[p * TILES * C], false);
        plane.add_outputs(m.data(), first, count, py + n * size);
      }
  });
  return y;
}

// -> gradients by x and by u; `ut` is u with inputs and outputs exchanged.
std::vector<torch::Tensor> winograd_backward(const torch::Tensor& gy, const torch::Tensor& x, const torch::Tensor& ut) {
  auto gx = torch::zeros_like(x), gu = torch::zeros_like(ut);
  const Plane plane{x.size(2), x.size(3)};
  const int64_t size = plane.height * plane.width * C;
  const float *px = x.data_ptr<float>(), *put = ut.data_ptr<float>(), *pgy = gy.data_ptr<float>();
  float* pgx = gx.data_ptr<float>();
  std::mutex adding;
  at::parallel_for(0, x.size(0), 1, [&](int64_t begin, int64_t end) {
    std::vector<float> v(POINTS * TILES * C), m(POINTS * TILES * C), sum(POINTS * C * C, 0.f);
    for (int64_t n = begin; n < end; n++)
      for (int64_t first = 0; first < plane.tiles(); first += TILES) {
        const int64_t count = std::min(TILES, plane.tiles() - first);
        plane.read_inputs(px + n * size, first, count, v.data());
        plane.read_output_gradients(pgy + n * size, first, count, m.data());
        for (int64_t p = 0; p < POINTS; p++) {
          float *vp = &v[p * TILES * C], *mp = &m[p * TILES * C];
          product(vp, 1, C, mp, C, count, &sum[p * C * C], true);
          product(mp, C, 1, put + p * C * C, count, C, vp, false);
        }
        plane.add_input_gradients(v.data(), first, count, pgx + n * size);
      }
    const std::lock_guard<std::mutex> lock(adding);
    float* pgu = gu.data_ptr<float>();
    for (int64_t i = 0; i < POINTS * C * C; i++) pgu[i] += sum[i];
  });
  return {gx, gu};
}

PYBIND11_MODULE(TORCH_EXTENSION_NAME, module) {
  module.def("prelu", &prelu);
  module.def("prelu_backward", &prelu_backward);
  module.def("winograd", &winograd);
  module.def("winograd_backward", &winograd_backward);
}
