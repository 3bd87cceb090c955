"""PyTorch + transformers behind the line protocol of drivers/protocol.mjs. 

Modes: eager, bfloat16, compile, compile-bfloat16, flash-bfloat16. bfloat16 is autocast on a CPU and the weights' own type on a
GPU; flash needs the package flashdeberta.
"""
import json
import resource
import sys
import time

import torch
from transformers import AutoModelForSequenceClassification


def pad(sequences):
    longest = max(map(len, sequences))
    ids = torch.zeros(len(sequences), longest, dtype=torch.long)
    mask = torch.zeros(len(sequences), longest, dtype=torch.long)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = torch.tensor(sequence)
        mask[row, : len(sequence)] = 1
    return ids, mask


def load_model(checkpoint, mode, device):
    own_bfloat16 = device != "cpu" and "bfloat16" in mode
    if mode.startswith("flash"):
        from flashdeberta import FlashDebertaV2ForSequenceClassification as Classifier
    else:
        Classifier = AutoModelForSequenceClassification
    model = Classifier.from_pretrained(checkpoint, dtype=torch.bfloat16 if own_bfloat16 else torch.float32)
    model = model.eval().to(device)
    return torch.compile(model, dynamic=True) if mode.startswith("compile") else model


class Library:
    def load(self, options):
        torch.set_num_threads(options["threads"])
        self.device = options["device"].replace("auto", "cuda")
        self.autocast = self.device == "cpu" and "bfloat16" in options["mode"]
        self.model = load_model(options["checkpoint"], options["mode"], self.device)
        return {"ok": True, "detail": f"torch {torch.__version__}"}

    def forward(self, sequences):
        ids, mask = (tensor.to(self.device) for tensor in pad(sequences))
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.autocast):
            return self.model(input_ids=ids, attention_mask=mask).logits.float().flatten().tolist()

    def run(self, request):
        start = time.perf_counter()
        logits = self.forward(request["sequences"])
        reply = {"ms": (time.perf_counter() - start) * 1e3,
                 "rssPeak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
        if request.get("outputs"):
            reply["logits"] = logits
        return reply


def main():
    library = Library()
    for line in sys.stdin:
        message = json.loads(line)
        try:
            reply = library.load(message["load"]) if "load" in message else library.run(message["run"])
        except Exception as error:  # the harness prints it and goes on with the others
            reply = {"error": repr(error)}
        print(json.dumps(reply), flush=True)


main()
