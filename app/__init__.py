"""digit-ocr: a stateless microservice that reads digits from images."""
