"""The codec outside Python: its transforms as ONNX, its integers beside them, the rest of it in JavaScript (js/)."""
