"""Training data: generators of chat rows, mixing, manifests, preparation and inspection. No torch.

A dataset is a stream of chat rows (`modelqa.data.rows`); each output has a manifest (`modelqa.data.manifest`).
"""
