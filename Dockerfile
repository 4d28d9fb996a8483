# The dashboard for a team, on processors:
#   docker build -t maskviz .
#   docker run -p 127.0.0.1:8501:8501 -v maskviz:/data maskviz
# docs/deploying.md says what else to set before others reach it.
FROM python:3.11-slim

# A pip setting of its own, so that torch comes as its small CPU build. For a GPU leave it empty:
#   docker build --build-arg TORCH_INDEX= -t maskviz .
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

WORKDIR /build
COPY pyproject.toml constraints.txt hatch_build.py README.md LICENSE app.py ./
COPY .streamlit .streamlit
COPY pages pages
COPY maskviz maskviz
RUN PIP_EXTRA_INDEX_URL="$TORCH_INDEX" pip install --no-cache-dir -c constraints.txt ".[figures,gguf]" \
    "streamlit[auth]" \
    && rm -rf /build

RUN useradd --create-home --uid 10001 maskviz && mkdir /data && chown maskviz /data
USER maskviz
WORKDIR /data
# Runs, their models and the cache of the Hub lie on the volume: the rest can be thrown away.
ENV MASKVIZ_HOME=/data/maskviz \
    HF_HOME=/data/huggingface
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=5)"]
# --init (or compose's init: true) reaps the runs' processes where the runtime does not.
# Inside the container every interface, outside what -p names. Names people use go behind:
#   docker run … maskviz --host lab.example.org
ENTRYPOINT ["maskviz", "app", "--no-browser", "--address", "0.0.0.0"]
