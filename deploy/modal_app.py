"""hiresfix on Modal: a GPU that is there while somebody asks, and costs nothing otherwise.

    pip install modal && modal setup
    modal secret create hiresfix API_KEY=... ALLOWED_HOSTS=your-workspace--hiresfix-serve.modal.run
    modal deploy deploy/modal_app.py

Weights lie on a volume, so that only the first start fetches them. Jobs and results are the container's own: they end with it
after ten minutes without a request, so ask synchronously, or set REDIS_URL and STORAGE_URL in the secret.
"""

import os
import subprocess
from pathlib import Path

import modal

PORT = 8001
IDLE_SECONDS = 600
ROOT = Path(__file__).resolve().parent.parent

app = modal.App("hiresfix")
image = modal.Image.from_dockerfile(
    ROOT / "deploy" / "Dockerfile.cuda", context_dir=ROOT, add_python="3.12"
).entrypoint([])
models = modal.Volume.from_name("hiresfix-models", create_if_missing=True)


@app.function(
    image=image,
    gpu="L4",
    volumes={"/models": models},
    secrets=[modal.Secret.from_name("hiresfix")],
    scaledown_window=IDLE_SECONDS,
    max_containers=1,  # jobs are asked for where they were accepted
    timeout=3600,
)
@modal.concurrent(max_inputs=100)
@modal.web_server(PORT, startup_timeout=120)
def serve() -> None:
    settings = {"MODELS_DIR": "/models", "PORT": str(PORT), "HOST": "0.0.0.0"}
    subprocess.Popen(["node", "/app/dist/cli/main.js", "serve"], env=os.environ | settings)
