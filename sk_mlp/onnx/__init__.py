"""Export of fitted estimators to ONNX, for runtimes without Python."""

from sk_mlp.onnx.export import to_onnx

__all__ = ["to_onnx"]
