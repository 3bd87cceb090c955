// activate() against values computed apart from it, and the names of config.json against transformers' table.
#include "ops/activation.h"

#include <cmath>
#include <string>

#include "doctest/doctest.h"

namespace deberta {

namespace {

constexpr double kPoints[] = {-12.0, -3.0, -1.0, -0.125, 0.0, 0.125, 1.0, 3.0, 12.0};

// By the formulas of transformers/activations.py, evaluated with 40 digits (mpmath) and rounded to 17; what is
// below 1e-300 is written as 0.
constexpr struct {
  Activation activation;
  double values[9];  // at kPoints
} kTable[] = {
    {Activation::kNone, {-12.0, -3.0, -1.0, -0.125, 0.0, 0.125, 1.0, 3.0, 12.0}},
    {Activation::kGelu,
     {-2.1317785344932148e-32, -0.0040496940948902836, -0.15865525393145705, -0.056282721896235888, 0.0,
      0.068717278103764112, 0.84134474606854295, 2.9959503059051097, 12.0}},
    {Activation::kGeluTanh,
     {0.0, -0.0036373920817730188, -0.1588080093917233, -0.056282801375776612, 0.0, 0.068717198624223388,
      0.8411919906082767, 2.996362607918227, 12.0}},
    {Activation::kGeluClipped,
     {-2.1317785344932148e-32, -0.0040496940948902836, -0.15865525393145705, -0.056282721896235888, 0.0,
      0.068717278103764112, 0.84134474606854295, 2.9959503059051097, 10.0}},
    {Activation::kQuickGelu,
     {-1.6186417835847618e-8, -0.018071309707785967, -0.1542042340671787, -0.055876526621895346, 0.0,
      0.069123473378104654, 0.8457957659328213, 2.981928690292214, 11.999999983813582}},
    {Activation::kRelu, {0.0, 0.0, 0.0, 0.0, 0.0, 0.125, 1.0, 3.0, 12.0}},
    {Activation::kRelu2, {0.0, 0.0, 0.0, 0.0, 0.0, 0.015625, 1.0, 9.0, 144.0}},
    {Activation::kRelu6, {0.0, 0.0, 0.0, 0.0, 0.0, 0.125, 1.0, 3.0, 6.0}},
    {Activation::kLeakyRelu, {-0.12, -0.03, -0.01, -0.00125, 0.0, 0.125, 1.0, 3.0, 12.0}},
    {Activation::kSilu,
     {-7.3730095226576614e-5, -0.14227761953270034, -0.26894142136999512, -0.058598828328280468, 0.0,
      0.066401171671719532, 0.73105857863000488, 2.8577223804672997, 11.999926269904773}},
    {Activation::kMish,
     {-7.3730321731865865e-5, -0.14564746127562459, -0.30340146137410892, -0.069979907180002477, 0.0,
      0.079957570847359806, 0.86509838826731035, 2.9865350049679573, 11.999999999093979}},
    {Activation::kSigmoid,
     {6.1441746022147178e-6, 0.047425873177566781, 0.26894142136999512, 0.46879062662624374, 0.5, 0.53120937337375626,
      0.73105857863000488, 0.95257412682243322, 0.99999385582539779}},
    {Activation::kTanh,
     {-0.99999999992449731, -0.99505475368673045, -0.76159415595576489, -0.12435300177159621, 0.0, 0.12435300177159621,
      0.76159415595576489, 0.99505475368673045, 0.99999999992449731}},
    {Activation::kLaplace,
     {0.0, 9.5405602724893982e-40, 7.1737261254328581e-10, 0.0015902055191724249, 0.0060944596179356048,
      0.019531906471848485, 0.85042964928457034, 0.99999999999999978, 1.0}},
};

}  // namespace

TEST_CASE("activate: values of every activation") {
  for (const auto& row : kTable) {
    for (int i = 0; i < 9; ++i) {
      CAPTURE(static_cast<int>(row.activation));
      CAPTURE(kPoints[i]);
      const double value = activate(row.activation, kPoints[i]);
      CHECK(std::fabs(value - row.values[i]) <= 1e-14 * std::fabs(row.values[i]) + 1e-16);
    }
  }
}

TEST_CASE("activate: finite far out, and a NaN stays one") {
  for (const auto& row : kTable) {
    CAPTURE(static_cast<int>(row.activation));
    CHECK(std::isfinite(activate(row.activation, -1e4)));
    CHECK(std::isfinite(activate(row.activation, 1e4)));
    CHECK(std::isnan(activate(row.activation, std::nan(""))));
  }
  CHECK(activate(Activation::kGelu, 1e4) == 1e4);
  CHECK(activate(Activation::kMish, 1e4) == 1e4);
  CHECK(activate(Activation::kSilu, -1e4) == 0.0);
}

TEST_CASE("activation_from_name: the names of transformers, nothing else") {
  CHECK(activation_from_name("gelu") == Activation::kGelu);
  CHECK(activation_from_name("gelu_python") == Activation::kGelu);
  for (const char* name : {"gelu_new", "gelu_fast", "gelu_accurate", "gelu_pytorch_tanh", "gelu_python_tanh"}) {
    CAPTURE(name);
    CHECK(activation_from_name(name) == Activation::kGeluTanh);
  }
  CHECK(activation_from_name("gelu_10") == Activation::kGeluClipped);
  CHECK(activation_from_name("quick_gelu") == Activation::kQuickGelu);
  CHECK(activation_from_name("relu") == Activation::kRelu);
  CHECK(activation_from_name("relu2") == Activation::kRelu2);
  CHECK(activation_from_name("relu6") == Activation::kRelu6);
  CHECK(activation_from_name("leaky_relu") == Activation::kLeakyRelu);
  CHECK(activation_from_name("silu") == Activation::kSilu);
  CHECK(activation_from_name("swish") == Activation::kSilu);
  CHECK(activation_from_name("mish") == Activation::kMish);
  CHECK(activation_from_name("sigmoid") == Activation::kSigmoid);
  CHECK(activation_from_name("tanh") == Activation::kTanh);
  CHECK(activation_from_name("laplace") == Activation::kLaplace);
  CHECK(activation_from_name("linear") == Activation::kNone);
  for (const char* name : {"", "GELU", "gelu ", "prelu", "xielu", "relu7"}) {
    CAPTURE(name);
    CHECK_FALSE(activation_from_name(name).has_value());
  }
}

}  // namespace deberta
