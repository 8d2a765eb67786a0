from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Execution",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("worker", models.CharField(max_length=20)),
                ("text", models.CharField(max_length=200)),
                ("pid", models.IntegerField()),
                ("waited", models.FloatField(null=True)),
                ("finished", models.DateTimeField(auto_now_add=True)),
            ],
        ),
    ]
