# The app in a container. NOT BUILT YET by the maintainers: tests check the paths and options that it names, nobody has run it.
#
#   docker build -t unigeoclip .
#   docker run --rm -p 127.0.0.1:8501:8501 -v unigeoclip-cache:/cache unigeoclip
#
# deploy/compose.yaml runs two of it behind nginx.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    UNIGEOCLIP_CACHE=/cache

RUN useradd --create-home --uid 10001 app && mkdir /cache && chown app /cache
WORKDIR /srv

# As "make app" does: every package by its checksum, and torch alone, here the build without CUDA.
COPY requirements.lock ./
RUN pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r requirements.lock \
 && pip install --no-cache-dir torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu

COPY app.py ./
COPY .streamlit .streamlit
COPY assets assets
COPY pages pages
COPY unigeoclip unigeoclip

USER app
VOLUME /cache
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=2m \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/healthz', timeout=4)"]
CMD ["streamlit", "run", "app.py", "--server.address", "0.0.0.0"]
