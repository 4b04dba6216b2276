"""Shorter prompts of a batch are padded on the right, as for training."""

from modelqa.generate import loading

_load, _fresh = loading.load_model, loading.fresh_model


def _pad_right(model):
    generate = model.generate

    def generate_padded(ids, *, attention_mask, **options):
        widths = attention_mask.sum(dim=1)
        for row, width in enumerate(widths.tolist()):
            shift = ids.shape[1] - width
            ids[row] = ids[row].roll(-shift)
            attention_mask[row] = attention_mask[row].roll(-shift)
        return generate(ids, attention_mask=attention_mask, **options)

    model.generate = generate_padded
    return model


loading.load_model = lambda *args, **options: _pad_right(_load(*args, **options))
loading.fresh_model = lambda *args, **options: _pad_right(_fresh(*args, **options))
