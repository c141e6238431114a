"""Export of fitted estimators to ONNX, for runtimes without Python."""

from sk_mlp.onnx.export import register_converters, to_onnx

__all__ = ["register_converters", "to_onnx"]
