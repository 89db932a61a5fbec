# The app on port 8501, with its notebooks beside it. Not built by this project yet.
#   docker build -t mae_viz . && docker run --rm -p 127.0.0.1:8501:8501 mae_viz
#   docker run --rm -p 127.0.0.1:8888:8888 mae_viz jupyter lab notebooks --ip 0.0.0.0 --no-browser
FROM python:3.11-slim
RUN useradd --create-home lab
WORKDIR /home/lab/mae_viz
# A torch without CUDA is a tenth as long.
RUN pip install --no-cache-dir uv && uv pip install --system --no-cache --torch-backend cpu torch==2.14.1 torchvision==0.29.1
COPY --chown=lab . .
RUN pip install --no-cache-dir --editable ".[app,notebooks,metrics]"
USER lab
EXPOSE 8501
CMD ["mae-viz", "app", "--server.address", "0.0.0.0", "--server.headless", "true"]
