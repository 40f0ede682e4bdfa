"""placeholder"""
from pathlib import Path
def write_summary(request) -> Path:
    return request.out / "summary.html"
