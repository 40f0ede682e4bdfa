# neural_mastering for servers: CPU, not root, from the wheel.
#   docker build -t neural-mastering .
#   docker run --rm -v "$PWD:/data" neural-mastering nm-batch master songs.csv -o out
#   docker run --rm --network host -v "$PWD:/data" neural-mastering        the studio, on this computer only

FROM python:3.11-slim-bookworm AS wheel
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY conf conf
COPY neural_mastering neural_mastering
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim-bookworm
# ffmpeg reads and writes AAC and ALAC; everything else is in the Python packages
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ffmpeg \
 && rm -rf /var/lib/apt/lists/*
COPY constraints.txt /tmp/constraints.txt
COPY --from=wheel /wheels /tmp/wheels
# torch comes first and from its own index: there, it brings no CUDA
RUN pip install --no-cache-dir --constraint /tmp/constraints.txt --index-url https://download.pytorch.org/whl/cpu torch \
 && pip install --no-cache-dir --constraint /tmp/constraints.txt --find-links /tmp/wheels "neural-mastering[studio,s3,slurm]" \
 && rm -rf /tmp/wheels /tmp/constraints.txt
RUN useradd --create-home --uid 10001 mastering \
 && mkdir /data \
 && chown mastering /data
# compiled loops are kept where the user may write
ENV NUMBA_CACHE_DIR=/home/mastering/.cache/numba \
    PYTHONUNBUFFERED=1 \
    NM_STUDIO_PORT=8765
USER mastering
WORKDIR /data
# Any answer of the studio's API will do: without its token it answers 401 or 403. A container that runs another
# command is healthy as long as it runs.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", "import os, sys, urllib.error, urllib.request\nif b'nm-studio' not in open(os.environ.get('NM_COMMAND_LINE', '/proc/1/cmdline'), 'rb').read():\n    sys.exit(0)\ntry:\n    urllib.request.urlopen('http://127.0.0.1:' + os.environ['NM_STUDIO_PORT'] + '/project', timeout=4)\nexcept urllib.error.HTTPError as answer:\n    sys.exit(answer.code >= 500)\nexcept OSError:\n    sys.exit(1)"]
CMD ["nm-studio", "--no-browser", "--port", "8765", "--project", "/data/studio"]
