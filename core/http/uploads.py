"""Files in forms: nothing here takes any."""

from typing import NoReturn

from django.core.files.uploadhandler import FileUploadHandler

from core.problems import FilesNotTaken


class RefuseFiles(FileUploadHandler):
    """The only upload handler: a form with a file is a 415 before a byte of the file is written anywhere."""

    def new_file(self, *args: object, **kwargs: object) -> NoReturn:
        raise FilesNotTaken

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        return None

    def file_complete(self, file_size: int) -> None:
        return None
