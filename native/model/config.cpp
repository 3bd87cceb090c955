// Sources: transformers configuration_deberta.py and configuration_deberta_v2.py (names, defaults), microsoft/DeBERTa
// deberta/config.py ("pooling", strings for lists). Defaults are Hugging Face's; sizes have none and must be given.
#include "model/config.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "base/error.h"
#include "io/json_reader.h"
#include "io/utf8.h"

namespace deberta {

namespace {

constexpr int64_t kMaxWidth = 1 << 20;     // of any row: far above every DeBERTa, far below overflow of a product
constexpr int64_t kMaxRows = 1 << 24;      // of any table
constexpr int64_t kMaxDistance = 1 << 20;  // relative positions: bounds the table of distances
constexpr int64_t kMaxLayers = 1024;

/// Typed access to the members of config.json; every failure names file and key.
class Reader {
 public:
  Reader(const JsonDocument& document, const JsonObject& object) : document_(document), object_(object) {}

  [[noreturn]] void unsupported(std::string_view key, const std::string& message) const {
    throw Error(ErrorCode::kUNSUPPORTED_CONFIG, document_.file() + ": " + std::string(key) + ": " + message);
  }

  const JsonValue* find(std::string_view key) const {
    const JsonValue* value = object_.find(key);
    return value && !value->is_null() ? value : nullptr;
  }

  bool has(std::string_view key) const { return find(key) != nullptr; }

  int64_t integer(std::string_view key, int64_t low, int64_t high) const {
    if (!has(key)) unsupported(key, "is missing");
    const int64_t value = document_.integer_at(object_, key);
    if (value < low || value > high) {
      unsupported(key, "expected an integer from " + std::to_string(low) + " to " + std::to_string(high) + ", found " +
                           std::to_string(value));
    }
    return value;
  }

  int64_t integer_or(std::string_view key, int64_t fallback, int64_t low, int64_t high) const {
    return has(key) ? integer(key, low, high) : fallback;
  }

  double number_or(std::string_view key, double fallback, double low, double high) const {
    const double value = document_.number_or(object_, key, fallback);
    if (!(value >= low && value <= high)) {
      unsupported(key, "expected a number from " + std::to_string(low) + " to " + std::to_string(high) + ", found " +
                           std::to_string(value));
    }
    return value;
  }

  bool flag_or(std::string_view key, bool fallback) const { return document_.bool_or(object_, key, fallback); }

  std::string string_or(std::string_view key, const std::string& fallback) const {
    return document_.string_or(object_, key, fallback);
  }

  Activation activation_or(std::string_view key, const char* fallback) const {
    const std::string name = string_or(key, fallback);
    const std::optional<Activation> activation = activation_from_name(name);
    if (!activation) unsupported(key, "the activation \"" + printable(name) + "\" is not supported");
    return *activation;
  }

  std::vector<std::string> strings(std::string_view key) const {
    std::vector<std::string> result;
    const JsonArray* array = document_.array_or_null(object_, key);
    if (!array) return result;
    for (const JsonValue& value : *array) result.push_back(document_.expect_string(value, key));
    return result;
  }

  const JsonObject* object_or_null(std::string_view key) const { return document_.object_or_null(object_, key); }
  const JsonDocument& document() const { return document_; }

 private:
  const JsonDocument& document_;
  const JsonObject& object_;
};

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// "C2P| p2c" -> {"c2p", "p2c"}: how both code bases read such strings.
std::vector<std::string> split_options(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('|', begin), text.size());
    parts.emplace_back(trim(std::string_view(text).substr(begin, end - begin)));
    begin = end + 1;
  }
  return parts;
}

/// v1 or v2, told by model_type; by the architecture or by keys that only v2 has where that is absent (microsoft's own
/// training configurations).
std::string read_model_type(const Reader& reader, const std::vector<std::string>& architectures) {
  const std::string given = reader.string_or("model_type", "");
  if (given == "deberta" || given == "deberta-v2") return given;
  if (!given.empty()) {
    reader.unsupported("model_type", "expected \"deberta\" or \"deberta-v2\", found \"" + printable(given) + "\"");
  }
  for (const std::string& name : architectures) {
    if (name.starts_with("DebertaV2")) return "deberta-v2";
    if (name.starts_with("Deberta")) return "deberta";
  }
  for (const char* key : {"position_buckets", "norm_rel_ebd", "share_att_key", "conv_kernel_size"}) {
    if (reader.has(key)) return "deberta-v2";
  }
  return "deberta";
}

void read_sizes(const Reader& reader, Config& config) {
  config.vocab_size = reader.integer("vocab_size", 1, kMaxRows);
  config.hidden_size = reader.integer("hidden_size", 1, kMaxWidth);
  config.embedding_size = reader.integer_or("embedding_size", config.hidden_size, 1, kMaxWidth);
  config.num_hidden_layers = reader.integer("num_hidden_layers", 1, kMaxLayers);
  config.num_attention_heads = reader.integer("num_attention_heads", 1, kMaxWidth);
  config.intermediate_size = reader.integer("intermediate_size", 1, kMaxWidth);
  config.max_position_embeddings = reader.integer_or("max_position_embeddings", 512, 1, kMaxRows);
  config.type_vocab_size = reader.integer_or("type_vocab_size", 0, 0, kMaxRows);
  config.layer_norm_eps = reader.number_or("layer_norm_eps", 1e-7, 0.0, 1.0);
  config.hidden_act = reader.activation_or("hidden_act", "gelu");

  if (reader.has("attention_head_size")) {
    config.attention_head_size = reader.integer("attention_head_size", 1, kMaxWidth);
  } else if (config.hidden_size % config.num_attention_heads == 0) {
    config.attention_head_size = config.hidden_size / config.num_attention_heads;
  } else {
    reader.unsupported("hidden_size", std::to_string(config.hidden_size) + " is not divisible by num_attention_heads " +
                                          std::to_string(config.num_attention_heads) +
                                          ", and attention_head_size is not given");
  }
  if (config.all_head_size() > kMaxWidth) {
    reader.unsupported("attention_head_size", "the heads are " + std::to_string(config.all_head_size()) + " wide");
  }
}

void read_pos_att_type(const Reader& reader, Config& config) {
  const JsonValue* value = reader.find("pos_att_type");
  if (!value) return;
  const std::vector<std::string> types =
      value->as_string() ? split_options(*value->as_string()) : reader.strings("pos_att_type");
  for (const std::string& type : types) {
    if (type == "p2p") reader.unsupported("pos_att_type", "\"p2p\" (position to position) is not supported");
    if (type != "c2p" && type != "p2c") {
      reader.unsupported("pos_att_type", "expected \"c2p\" and \"p2c\", found \"" + printable(type) + "\"");
    }
    bool& flag = type == "c2p" ? config.c2p : config.p2c;
    if (flag) reader.unsupported("pos_att_type", "\"" + type + "\" occurs twice");
    flag = true;
  }
}

void read_buckets(const Reader& reader, Config& config) {
  config.position_buckets = std::max<int64_t>(0, reader.integer_or("position_buckets", -1, -1, kMaxDistance));
  if (config.position_buckets == 0) return;
  // Odd counts and the two smallest leave the outermost rows out of reach or unused; no checkpoint has them.
  if (config.position_buckets % 2 != 0 || config.position_buckets < 4) {
    reader.unsupported("position_buckets",
                       "expected an even number from 4 up, found " + std::to_string(config.position_buckets));
  }
  if (config.max_relative_positions - 1 <= config.position_buckets / 2) {
    reader.unsupported("position_buckets", std::to_string(config.position_buckets) + " buckets need more than " +
                                               std::to_string(config.position_buckets / 2 + 1) +
                                               " relative positions, found " +
                                               std::to_string(config.max_relative_positions));
  }
}

void read_positions(const Reader& reader, Config& config) {
  config.position_biased_input = reader.flag_or("position_biased_input", true);
  config.relative_attention = reader.flag_or("relative_attention", false);
  read_pos_att_type(reader, config);
  config.max_relative_positions = reader.integer_or("max_relative_positions", -1, -1, kMaxDistance);
  if (config.max_relative_positions < 1) {
    config.max_relative_positions = config.max_position_embeddings;
    if (config.relative_attention && config.max_position_embeddings > kMaxDistance) {
      reader.unsupported("max_position_embeddings", "too many relative positions");
    }
  }
  if (config.relative_attention) read_buckets(reader, config);
  config.share_att_key = reader.flag_or("share_att_key", false);
  for (const std::string& option : split_options(reader.string_or("norm_rel_ebd", "none"))) {
    if (option == "layer_norm") {
      config.norm_rel_ebd = true;
    } else if (option != "none") {
      reader.unsupported("norm_rel_ebd", "expected \"layer_norm\" or \"none\", found \"" + printable(option) + "\"");
    }
  }
  config.talking_head = reader.flag_or("talking_head", false);
  if (reader.integer_or("z_steps", 0, 0, kMaxLayers) > 0) {
    reader.unsupported("z_steps", "extra passes of the last layer are not supported (no released code can run them)");
  }
}

void read_conv(const Reader& reader, Config& config) {
  config.conv_kernel_size = reader.integer_or("conv_kernel_size", 0, 0, 1023);
  if (config.conv_kernel_size == 0) return;
  if (config.conv_kernel_size % 2 == 0) {
    reader.unsupported("conv_kernel_size", "expected an odd number, found " + std::to_string(config.conv_kernel_size) +
                                               ", which would change the length of a sequence");
  }
  config.conv_groups = reader.integer_or("conv_groups", 1, 1, config.hidden_size);
  if (config.hidden_size % config.conv_groups != 0) {
    reader.unsupported("conv_groups", "hidden_size " + std::to_string(config.hidden_size) + " is not divisible by " +
                                          std::to_string(config.conv_groups));
  }
  config.conv_act = reader.activation_or("conv_act", "tanh");
}

/// pooler_* of Hugging Face, or microsoft's "pooling": { "hidden_size", "dropout", "hidden_act" }.
void read_pooler(const Reader& reader, Config& config) {
  config.pooler_hidden_size = config.hidden_size;
  if (const JsonObject* pooling = reader.object_or_null("pooling")) {
    const Reader inner(reader.document(), *pooling);
    config.pooler_hidden_size = inner.integer_or("hidden_size", config.pooler_hidden_size, 1, kMaxWidth);
    config.pooler_hidden_act = inner.activation_or("hidden_act", "gelu");
    config.pooler_dropout = inner.number_or("dropout", 0.0, 0.0, 1.0);
  }
  config.pooler_hidden_size = reader.integer_or("pooler_hidden_size", config.pooler_hidden_size, 1, kMaxWidth);
  config.pooler_dropout = reader.number_or("pooler_dropout", config.pooler_dropout, 0.0, 1.0);
  if (reader.has("pooler_hidden_act")) config.pooler_hidden_act = reader.activation_or("pooler_hidden_act", "gelu");
}

/// Decimal digits only, below kMaxRows; -1 otherwise.
int64_t label_id(const std::string& text) {
  if (text.empty() || text.size() > 8) return -1;
  int64_t id = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return -1;
    id = id * 10 + (c - '0');
  }
  return id;
}

/// id2label { "0": "A", "1": "B" } or, turned around, label2id { "A": 0, "B": 1 }. Names may be numbers.
std::vector<std::string> read_label_map(const Reader& reader, std::string_view key, bool id_first) {
  const JsonObject* map = reader.object_or_null(key);
  if (!map) return {};
  std::vector<std::optional<std::string>> found(map->size());
  for (const auto& [name, value] : map->members()) {
    const std::optional<int64_t> number = value.as_integer();
    const std::string other = value.as_string() ? *value.as_string() : number ? std::to_string(*number) : "";
    const int64_t id = label_id(id_first ? name : other);
    if (id < 0 || id >= static_cast<int64_t>(found.size()) || found[id]) {
      reader.unsupported(key, "the ids of its " + std::to_string(found.size()) + " labels are not 0, 1, 2, ...: \"" +
                                  printable(id_first ? name : other) + "\"");
    }
    found[id] = id_first ? other : name;
  }
  std::vector<std::string> labels;
  for (std::optional<std::string>& label : found) labels.push_back(std::move(*label));
  return labels;
}

void read_labels(const Reader& reader, Config& config) {
  config.labels = read_label_map(reader, "id2label", true);
  const int64_t num_labels = reader.integer_or("num_labels", 0, 0, kMaxRows);
  if (!config.labels.empty() && num_labels > 0 && num_labels != static_cast<int64_t>(config.labels.size())) {
    reader.unsupported("num_labels", std::to_string(num_labels) + " contradicts id2label, which has " +
                                         std::to_string(config.labels.size()) + " labels");
  }
  if (config.labels.empty() && num_labels == 0) config.labels = read_label_map(reader, "label2id", false);
  if (config.labels.empty()) config.labels = default_labels(num_labels);
  config.num_labels = static_cast<int64_t>(config.labels.size());
  config.problem_type = reader.string_or("problem_type", "");
}

void read_training(const Reader& reader, Config& config) {
  config.hidden_dropout_prob = reader.number_or("hidden_dropout_prob", 0.1, 0.0, 1.0);
  config.attention_probs_dropout_prob = reader.number_or("attention_probs_dropout_prob", 0.1, 0.0, 1.0);
  if (reader.has("cls_dropout")) config.cls_dropout = reader.number_or("cls_dropout", 0.0, 0.0, 1.0);
  config.initializer_range = reader.number_or("initializer_range", 0.02, 0.0, 1e6);
  config.pad_token_id = reader.integer_or("pad_token_id", 0, INT32_MIN, INT32_MAX);
}

/// Knobs that the other generation's code does not read: taking or ignoring them would both be a guess.
void check_generation(const Reader& reader, const Config& config) {
  if (config.model_type == "deberta-v2") {
    if (config.talking_head)
      reader.unsupported("talking_head", "belongs to model_type \"deberta\", not \"deberta-v2\"");
    return;
  }
  const auto refuse = [&](bool given, const char* key) {
    if (given) reader.unsupported(key, "belongs to model_type \"deberta-v2\", not \"deberta\"");
  };
  refuse(config.position_buckets > 0, "position_buckets");
  refuse(config.norm_rel_ebd, "norm_rel_ebd");
  refuse(config.share_att_key, "share_att_key");
  refuse(config.conv_kernel_size > 0, "conv_kernel_size");
}

}  // namespace

float Config::attention_scale() const {
  return static_cast<float>(1.0 / std::sqrt(static_cast<double>(attention_head_size) * (1 + c2p + p2c)));
}

Config parse_config(const std::string& text, const std::string& file) {
  JsonOptions options;
  options.refuse_duplicate_keys = false;  // Python's reader takes the last one, and hand-made files have them
  const JsonDocument document = parse_json(text, file, options);
  const Reader reader(document, document.root_object());
  Config config;
  config.architectures = reader.strings("architectures");
  config.model_type = read_model_type(reader, config.architectures);
  read_sizes(reader, config);
  read_positions(reader, config);
  read_conv(reader, config);
  read_pooler(reader, config);
  config.tie_word_embeddings = reader.flag_or("tie_word_embeddings", true);
  config.legacy = reader.flag_or("legacy", true);
  read_labels(reader, config);
  read_training(reader, config);
  check_generation(reader, config);
  return config;
}

std::vector<std::string> default_labels(int64_t num_labels) {
  std::vector<std::string> labels;
  for (int64_t i = 0; i < num_labels; ++i) labels.push_back(std::string("LABEL_").append(std::to_string(i)));
  return labels;
}

}  // namespace deberta
