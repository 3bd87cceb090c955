"""PyTorch + transformers behind the line protocol of drivers/protocol.mjs. Modes: eager, bfloat16 (autocast), compile."""
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


class Library:
    def load(self, options):
        torch.set_num_threads(options["threads"])
        self.mode = options["mode"]
        self.model = AutoModelForSequenceClassification.from_pretrained(options["checkpoint"], dtype=torch.float32).eval()
        if self.mode == "compile":
            self.model = torch.compile(self.model, dynamic=True)
        return {"ok": True, "detail": f"torch {torch.__version__}"}

    def forward(self, sequences):
        ids, mask = pad(sequences)
        autocast = torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.mode == "bfloat16")
        with torch.inference_mode(), autocast:
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
