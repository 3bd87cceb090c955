// tokenizer_config.json is read first: where files disagree about a role, it counts, then special_tokens_map.json.
#include "tokenizer/tokenizer_config.h"

#include <algorithm>
#include <charconv>

#include "io/mapped_file.h"
#include "io/utf8.h"

namespace deberta {
namespace {

constexpr const char* kRoleKeys[kTokenRoles] = {"unk_token", "sep_token", "pad_token", "cls_token", "mask_token"};
constexpr const char* kRoleDefaults[kTokenRoles] = {"[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"};

std::optional<bool> optional_bool(const JsonDocument& document, const JsonObject& object, std::string_view key) {
  if (object.find(key) == nullptr) return std::nullopt;
  return document.bool_or(object, key, false);
}

// "[MASK]", or {"content": "[MASK]", "lstrip": true, ...}.
RoleToken parse_role_token(const JsonDocument& document, const JsonValue& value, std::string_view where) {
  if (value.as_object() == nullptr) return {document.expect_string(value, where), {}, {}, {}};
  const JsonObject& object = *value.as_object();
  return {document.string_at(object, "content"), optional_bool(document, object, "lstrip"),
          optional_bool(document, object, "rstrip"), optional_bool(document, object, "single_word")};
}

void read_roles(const JsonDocument& document, const JsonObject& object, TokenizerConfig& config) {
  for (size_t i = 0; i < kTokenRoles; ++i) {
    const JsonValue* value = object.find(kRoleKeys[i]);
    if (value == nullptr || value->is_null() || !config.roles[i].content.empty()) continue;
    config.roles[i] = parse_role_token(document, *value, kRoleKeys[i]);
  }
  for (const char* key : {"additional_special_tokens", "extra_special_tokens"}) {
    const JsonValue* list = object.find(key);
    if (list == nullptr || list->as_array() == nullptr) continue;  // extra_special_tokens may be an object: unused here
    for (const JsonValue& value : *list->as_array()) {
      config.additional_special.push_back(parse_role_token(document, value, key));
    }
  }
}

int32_t parse_id(const JsonDocument& document, const std::string& text) {
  int32_t id = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id < 0) {
    document.fail("added_tokens_decoder", "expected ids as keys, found \"" + printable(text) + "\"");
  }
  return id;
}

void read_main_file(const std::string& path, TokenizerConfig& config) {
  const JsonDocument document = read_json_file(path, tokenizer_json_options());
  const JsonObject& root = document.root_object();
  config.do_lower_case = document.bool_or(root, "do_lower_case", false);
  config.split_by_punct = document.bool_or(root, "split_by_punct", false);
  config.add_prefix_space = document.bool_or(root, "add_prefix_space", false);
  const std::string side = document.string_or(root, "truncation_side", "right");
  if (side != "left" && side != "right") {
    document.fail("truncation_side", "expected \"left\" or \"right\", found \"" + printable(side) + "\"");
  }
  config.truncate_left = side == "left";
  const double limit = document.number_or(root, "model_max_length", 0);  // 1e30 stands for "none"
  config.model_max_length = limit >= 1 && limit < 2147483648.0 ? static_cast<int64_t>(limit) : 0;
  read_roles(document, root, config);
  if (const JsonObject* decoder = document.object_or_null(root, "added_tokens_decoder")) {
    for (const JsonMember& member : decoder->members()) {
      AddedToken token = parse_added_token(document, document.expect_object(member.value, "added_tokens_decoder"));
      token.id = parse_id(document, member.key);
      config.add(std::move(token));
    }
  }
}

void read_added_tokens(const std::string& path, TokenizerConfig& config) {
  const JsonDocument document = read_json_file(path, tokenizer_json_options());
  for (const JsonMember& member : document.root_object().members()) {
    const int64_t id = document.expect_integer(member.value, member.key);
    if (id < 0 || id >= INT32_MAX) document.fail(member.key, "the id " + std::to_string(id) + " is out of range");
    config.add({member.key, static_cast<int32_t>(id), false, false, false, false});
  }
}

}  // namespace

JsonOptions tokenizer_json_options() {
  JsonOptions options;
  options.code = ErrorCode::kTOKENIZER_FILE;
  return options;
}

AddedToken parse_added_token(const JsonDocument& document, const JsonObject& object) {
  AddedToken token;
  token.content = document.string_at(object, "content");
  token.special = document.bool_or(object, "special", false);
  token.lstrip = document.bool_or(object, "lstrip", false);
  token.rstrip = document.bool_or(object, "rstrip", false);
  token.single_word = document.bool_or(object, "single_word", false);
  return token;
}

void TokenizerConfig::add(AddedToken token) {
  const auto same =
      std::find_if(added.begin(), added.end(), [&](const AddedToken& other) { return other.content == token.content; });
  if (same == added.end()) {
    added.push_back(std::move(token));
  } else if (same->id != token.id) {
    throw Error(ErrorCode::kTOKENIZER_FILE, file + ": the added token \"" + printable(token.content) +
                                                "\" has two ids, " + std::to_string(same->id) + " and " +
                                                std::to_string(token.id));
  }
}

TokenizerConfig read_tokenizer_config(const std::string& directory) {
  TokenizerConfig config;
  config.file = join_path(directory, "tokenizer_config.json");
  if (file_exists(config.file)) read_main_file(config.file, config);
  if (const std::string path = join_path(directory, "special_tokens_map.json"); file_exists(path)) {
    const JsonDocument document = read_json_file(path, tokenizer_json_options());
    read_roles(document, document.root_object(), config);
  }
  if (const std::string path = join_path(directory, "added_tokens.json"); file_exists(path)) {
    read_added_tokens(path, config);
  }
  for (size_t i = 0; i < kTokenRoles; ++i) {
    if (config.roles[i].content.empty()) config.roles[i].content = kRoleDefaults[i];
  }
  return config;
}

}  // namespace deberta
