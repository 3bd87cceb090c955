"""Exports a checkpoint folder to ONNX (float32) and quantizes it the usual way (dynamic int8).

    python export_onnx.py CHECKPOINT OUT     writes OUT/model.onnx and OUT/model_int8.onnx
"""
import os
import sys

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import AutoModelForSequenceClassification


def export(checkpoint, out):
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint, dtype=torch.float32).eval()
    model.config.return_dict = False
    ids = torch.ones(2, 8, dtype=torch.long)
    mask = torch.ones(2, 8, dtype=torch.long)
    axes = {0: "batch", 1: "length"}
    os.makedirs(out, exist_ok=True)
    with torch.no_grad():
        torch.onnx.export(
            model, (ids, mask), os.path.join(out, "model.onnx"), input_names=["input_ids", "attention_mask"],
            output_names=["logits"], dynamic_axes={"input_ids": axes, "attention_mask": axes, "logits": {0: "batch"}},
            opset_version=17, dynamo=False)
    quantize_dynamic(os.path.join(out, "model.onnx"), os.path.join(out, "model_int8.onnx"),
                     weight_type=QuantType.QInt8)


if __name__ == "__main__":
    export(sys.argv[1], sys.argv[2])
