from drf_spectacular.openapi import AutoSchema


class HuuvaSchema(AutoSchema):
    pass
