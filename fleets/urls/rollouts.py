"""URLs of the rollouts' pages."""

from django.urls import URLPattern, path

from fleets.views import rollout_steps, rollouts

app_name = "rollouts"
urlpatterns: list[URLPattern] = [
    path("", rollouts.listing, name="list"),
    path("<int:number>/", rollouts.detail, name="detail"),
    path("<int:number>/exclude/", rollout_steps.exclude, name="exclude"),
    path("<int:number>/retry/", rollout_steps.retry, name="retry"),
    path("<int:number>/<slug:slug>/", rollout_steps.step, name="step"),
]
