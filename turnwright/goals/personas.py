"""Personas: who the simulated users are. Names come from Faker, in several languages with Latin letters."""

import random
import threading
from functools import cache

from faker import Faker

from schemas.goals import Persona

LOCALES = ("en_US", "en_GB", "de_DE", "es_ES", "fr_FR", "it_IT", "nl_NL", "pl_PL", "pt_BR", "sv_SE", "tr_TR", "fi_FI")

OCCUPATIONS = (
    "accountant, archivist, baker, bookkeeper, bus driver, call centre agent, carpenter, city planner, civil engineer, "
    "community organiser, consultant, data analyst, dentist, department secretary, economics student, electrician, "
    "event planner, farmer, fitness coach, florist, freelance journalist, gardener, graphic designer, historian, "
    "hotel manager, insurance broker, interpreter, lab technician, landlord, lawyer, logistics coordinator, "
    "maintenance planner, market researcher, museum guide, music teacher, nurse, office manager, operations manager, "
    "paramedic, pharmacist, photographer, physiotherapist, pilot, podcast producer, primary school teacher, "
    "project manager, quality inspector, radio presenter, receptionist, recruiter, retired engineer, sales assistant, "
    "school librarian, shop owner, social worker, sports reporter, statistician, store clerk, theatre director, "
    "tour guide, trainee auditor, translator, travel agent, union representative, veterinarian, warehouse supervisor, "
    "wedding planner, youth worker"
).split(", ")

_lock = threading.Lock()


@cache
def _faker(locale: str, provider: str = "person") -> Faker:
    # The one provider that is needed: all of them take a megabyte for each language.
    return Faker(locale, providers=[f"faker.providers.{provider}"])


def draw_name(rng: random.Random) -> str:
    """A first and a last name that fit each other, in Latin letters."""
    with _lock:
        faker = _faker(rng.choice(LOCALES))
        faker.seed_instance(rng.getrandbits(32))
        return f"{faker.first_name()} {faker.last_name()}"


def draw_sentence(rng: random.Random, words: int) -> str:
    """A short English sentence of everyday words without its full stop, as a note or a remark might hold."""
    with _lock:
        faker = _faker("en_US", "lorem")
        faker.seed_instance(rng.getrandbits(32))
        return faker.sentence(nb_words=words, variable_nb_words=False).rstrip(".")


def draw_persona(seed: str) -> Persona:
    """The persona of one dialogue; the same seed gives the same one."""
    rng = random.Random(f"{seed}:persona")
    return Persona(
        name=draw_name(rng),
        occupation=rng.choice(OCCUPATIONS),
        patience=rng.choice(("low", "normal", "normal", "high")),
        precision=rng.choice(("vague", "normal", "normal", "exact")),
        language_register=rng.choice(("casual", "casual", "neutral", "neutral", "formal")),
        openness=rng.randint(1, 5),
        conscientiousness=rng.randint(1, 5),
        extraversion=rng.randint(1, 5),
        agreeableness=rng.randint(1, 5),
        neuroticism=rng.randint(1, 5),
    )
