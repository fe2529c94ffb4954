from core.mail import mailer


def test_a_mail_server_is_read_from_its_url() -> None:
    options = mailer("smtp://huuva:p%40ss@mail.example.com")["OPTIONS"]
    assert (options["host"], options["port"], options["username"], options["password"]) == (
        "mail.example.com", 587, "huuva", "p@ss",
    )  # fmt: skip
    assert options["use_tls"] and not options["use_ssl"]
    assert mailer("smtps://mail.example.com")["OPTIONS"]["port"] == 465
    assert not mailer("smtp://mail.example.com")["OPTIONS"]["use_tls"]
