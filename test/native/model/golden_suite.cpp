// Reads the goldens of a fixture model and holds a forward pass to them.
#include "model/golden_suite.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>

#include "doctest.h"
#include "io/json_reader.h"
#include "io/mapped_file.h"
#include "io/safetensors.h"
#include "model/encoder.h"
#include "model/support.h"

namespace deberta::test {

namespace {

struct GoldenTensor {
  std::vector<int64_t> shape;
  std::vector<float> values;
  double bar = 0;
};

/// golden/ of a fixture.
struct Golden {
  std::map<std::string, GoldenTensor> tensors;
  std::vector<SequenceInput> sequences;
  std::set<std::string> checked;  // by the test so far
  double worst = 0;               // error / bar, of all of them
  std::string worst_name;

  bool has(const std::string& name) const { return tensors.contains(name); }
  int64_t length(size_t sequence) const { return static_cast<int64_t>(sequences[sequence].input_ids.size()); }
};

std::vector<int32_t> int_values(const CheckpointTensor& tensor) {
  REQUIRE(tensor.dtype == FileDType::kInt32);
  std::vector<int32_t> values(tensor.bytes / sizeof(int32_t));
  std::copy_n(static_cast<const char*>(tensor.data), tensor.bytes, reinterpret_cast<char*>(values.data()));
  return values;
}

Golden read_golden(const std::string& name, double floor) {
  Golden golden;
  const std::string folder = fixture_directory(name) + "/golden/";
  std::map<std::string, std::vector<int32_t>> inputs;
  int64_t padded = 0;
  for (const CheckpointTensor& tensor : read_safetensors(MappedFile::open(folder + "forward.safetensors"))) {
    if (tensor.dtype == FileDType::kInt32) {
      inputs[tensor.name] = int_values(tensor);
      padded = tensor.shape.at(1);
      continue;
    }
    GoldenTensor result{tensor.shape, to_float32(tensor)};
    double largest = 0;
    for (const float value : result.values) largest = std::max(largest, std::abs(static_cast<double>(value)));
    result.bar = floor * largest;
    golden.tensors[tensor.name] = std::move(result);
  }
  const JsonDocument meta = read_json_file(folder + "meta.json");
  for (const auto& [key, value] : meta.object_at(meta.root_object(), "torch_float32_max_abs_err").members()) {
    GoldenTensor& tensor = golden.tensors.at(key);
    tensor.bar = std::max(tensor.bar, 3.0 * *value.as_number());
  }
  const std::vector<int32_t>& mask = inputs.at("attention_mask");
  for (int64_t begin = 0; begin < static_cast<int64_t>(mask.size()); begin += padded) {
    SequenceInput sequence;
    for (int64_t i = begin; i < begin + padded && mask[i] != 0; ++i) {
      sequence.input_ids.push_back(inputs.at("input_ids")[i]);
      sequence.token_type_ids.push_back(inputs.at("token_type_ids")[i]);
    }
    golden.sequences.push_back(std::move(sequence));
  }
  return golden;
}

/// `count` values from `actual` against the golden's from `offset` on.
void compare(Golden& golden, const std::string& name, int64_t offset, const float* actual, int64_t count) {
  const GoldenTensor& tensor = golden.tensors.at(name);
  double error = 0;
  for (int64_t i = 0; i < count; ++i) {
    const double difference = std::abs(static_cast<double>(actual[i]) - tensor.values[offset + i]);
    error = std::isnan(difference) ? INFINITY : std::max(error, difference);
  }
  if (error / tensor.bar > golden.worst) {
    golden.worst = error / tensor.bar;
    golden.worst_name = name;
  }
  if (!(error <= tensor.bar)) CHECK_MESSAGE(error <= tensor.bar, name << " at " << offset);
  golden.checked.insert(name);
}

/// Packed rows [total_tokens, width] against a padded golden [sequences, padded, width].
void compare_rows(Golden& golden, const std::string& name, const float* actual, const std::vector<int32_t>& cu_seqlens,
                  int64_t width) {
  const std::vector<int64_t>& shape = golden.tensors.at(name).shape;
  for (size_t s = 0; s < golden.sequences.size(); ++s) {
    const int64_t rows = cu_seqlens[s + 1] - cu_seqlens[s];
    compare(golden, name, static_cast<int64_t>(s) * shape[1] * width, actual + cu_seqlens[s] * width, rows * width);
  }
}

void compare_attentions(Golden& golden, const std::string& name, const std::vector<HostTensor>& maps) {
  const std::vector<int64_t>& shape = golden.tensors.at(name).shape;  // [sequences, heads, padded, padded]
  for (size_t s = 0; s < maps.size(); ++s) {
    const int64_t n = golden.length(s);
    REQUIRE(maps[s].dims == std::vector<int64_t>{shape[1], n, n});
    for (int64_t row = 0; row < shape[1] * n; ++row) {
      const int64_t golden_row = (static_cast<int64_t>(s) * shape[1] + row / n) * shape[2] + row % n;
      compare(golden, name, golden_row * shape[3], maps[s].data.get() + row * n, n);
    }
  }
}

void compare_encoder(Golden& golden, const ForwardResult& result) {
  for (size_t i = 0; i < result.hidden_states.size(); ++i) {
    const std::string name = "hidden_states." + std::to_string(i);
    const HostTensor& states = result.hidden_states[i];
    if (golden.has(name)) compare_rows(golden, name, states.data.get(), result.cu_seqlens, states.dims[1]);
  }
  for (size_t i = 0; i < result.attentions.size(); ++i) {
    const std::string name = "attentions." + std::to_string(i);
    if (golden.has(name)) compare_attentions(golden, name, result.attentions[i]);
  }
  const HostTensor& last = result.last_hidden_state;
  if (golden.has("last_hidden_state") && last.data) {
    compare_rows(golden, "last_hidden_state", last.data.get(), result.cu_seqlens, last.dims[1]);
  }
}

/// Logits of heads other than the masked LM's.
void compare_logits(Golden& golden, const ForwardResult& result, const std::string& task) {
  const float* logits = result.logits.data.get();
  const std::vector<int64_t>& dims = result.logits.dims;
  if (task == "question-answering") {
    std::vector<float> starts;
    std::vector<float> ends;
    for (int64_t i = 0; i < dims[0]; ++i) {
      starts.push_back(logits[2 * i]);
      ends.push_back(logits[2 * i + 1]);
    }
    compare_rows(golden, "start_logits", starts.data(), result.cu_seqlens, 1);
    compare_rows(golden, "end_logits", ends.data(), result.cu_seqlens, 1);
  } else if (task == "token-classification") {
    compare_rows(golden, "logits", logits, result.cu_seqlens, dims[1]);
  } else {
    REQUIRE(dims == golden.tensors.at("logits").shape);
    compare(golden, "logits", 0, logits, result.logits.size());
  }
}

/// The first positions of every sequence: what the goldens keep of vocabulary logits.
std::vector<std::vector<int32_t>> first_positions(const Golden& golden, int64_t count) {
  std::vector<std::vector<int32_t>> positions(golden.sequences.size());
  for (size_t s = 0; s < positions.size(); ++s) {
    for (int32_t i = 0; i < std::min(count, golden.length(s)); ++i) positions[s].push_back(i);
  }
  return positions;
}

void compare_masked_lm(Golden& golden, Model& model, ForwardRequest request, const std::string& name, Decoder decoder) {
  request.decoder = decoder;
  request.has_positions = true;
  request.positions = first_positions(golden, golden.tensors.at(name).shape[1]);
  const ForwardResult result = model.forward(request, CancelToken());
  compare_encoder(golden, result);
  compare_rows(golden, name, result.logits.data.get(), result.positions_cu, result.logits.dims[1]);
}

/// The request with every output, then with the logits alone, which lets the model leave work out.
void check_fixture(Golden& golden, Model& model) {
  const std::string task = model.info().task;
  for (const bool everything : {true, false}) {
    ForwardRequest request;
    request.sequences = golden.sequences;
    request.hidden_states = request.attentions = everything;
    request.last_hidden_state = everything || task == "encoder";
    request.logits = task != "encoder";
    request.choices = task == "multiple-choice" ? golden.tensors.at("logits").shape[1] : 0;
    if (task == "masked-lm") {
      compare_masked_lm(golden, model, request, "logits", Decoder::kPlain);
      CHECK(model.info().has_emd == golden.has("emd_logits"));
      if (golden.has("emd_logits")) compare_masked_lm(golden, model, request, "emd_logits", Decoder::kAuto);
      continue;
    }
    const ForwardResult result = model.forward(request, CancelToken());
    compare_encoder(golden, result);
    if (request.logits) compare_logits(golden, result, task);
  }
}

/// The states of the mask decoder itself, which no output shows.
void check_mask_decoder(Golden& golden, const std::string& name, const Backend& backend,
                        const ContextOptions& options) {
  const auto model = load_packed_model(backend, options, fixture_directory(name), std::nullopt, CancelToken());
  const Device device(backend, options);
  Workspace workspace(device);
  const auto count = static_cast<int64_t>(golden.sequences.size());
  const PackedBatch batch = pack_batch(golden.sequences, {0, count}, model->config, first_positions(golden, 1 << 20));
  workspace.prepare(model->config, batch, false);
  const Pass pass{device, *model, batch, workspace};
  ForwardRequest nothing;
  ForwardResult result;
  run_encoder(pass, {false, true, true}, BatchOutputs(nothing, result, {0, count}, 0), CancelToken());
  const Matrix states = workspace.selected_hidden();
  std::vector<float> values(static_cast<size_t>(states.rows * states.cols));
  device.ops().download_rows(device.context(), values.data(), states);
  device.ops().synchronize(device.context());
  compare_rows(golden, "emd_hidden_states", values.data(), batch.cu_seqlens, states.cols);
}

}  // namespace

void check_golden(const std::string& name, const Backend& backend, const ContextOptions& context, double floor) {
  CAPTURE(name);
  Golden golden = read_golden(name, floor);
  ModelOptions options;
  options.directory = fixture_directory(name);
  options.context = context;
  const auto model = Model::load(backend, options, -1, CancelToken());
  check_fixture(golden, *model);
  if (golden.has("emd_hidden_states")) check_mask_decoder(golden, name, backend, context);
  for (const auto& [tensor, unused] : golden.tensors) CHECK_MESSAGE(golden.checked.contains(tensor), tensor);
  std::printf("%-9s %-9s %-9s %-22s worst error %.2f of the bar (%s)\n", backend.name, backend.detail,
              model->info().dtype.c_str(), name.c_str(), golden.worst, golden.worst_name.c_str());
}

}  // namespace deberta::test
